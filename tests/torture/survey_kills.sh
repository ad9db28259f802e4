#!/bin/bash
# survey_kills.sh - kills.sh with a survey before: killed while films are surveyed, searched by it, and replaced.
SURVEY=first exec bash tests/torture/kills.sh
