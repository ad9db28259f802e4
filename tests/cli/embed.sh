#!/bin/sh
# embed and features against the official fixtures (tests/embed_cli.py).
exec python3 tests/embed_cli.py
