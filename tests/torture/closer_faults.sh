#!/bin/bash
# closer_faults.sh - ingest_faults.sh for `search --closer` on a surveyed library: every place of it, and the whole pass after.
CLOSER=1 exec bash tests/torture/ingest_faults.sh
