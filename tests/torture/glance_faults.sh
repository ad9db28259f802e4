#!/bin/bash
# glance_faults.sh - ingest_faults.sh for a survey alone: every place of the glance, and of the survey that takes its place.
SURVEY=only GLANCE=only exec bash tests/torture/ingest_faults.sh
