#!/bin/bash
# survey_faults.sh - ingest_faults.sh with a survey before: every place of survey and replacement.
SURVEY=first exec bash tests/torture/ingest_faults.sh
