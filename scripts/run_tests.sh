#!/usr/bin/env bash
# Run every test: the fast ones first, so that a plain mistake shows within seconds, then the rest.
set -euo pipefail
cd "$(dirname "$0")/.."

O2O_CHROMIUM=$(scripts/find_chromium.sh)
export O2O_CHROMIUM
pytest=(.venv/bin/python -m pytest -q)
workers=(-n "${O2O_TEST_WORKERS:-2}" --dist loadfile)

if [ -n "${O2O_TEST_COVERAGE:-}" ]; then
  exec "${pytest[@]}" "${workers[@]}" --cov --cov-config=coverage.ini \
    --cov-report=term:skip-covered tests
fi

fast=()
rest=()
browser=()
for folder in tests/*/; do
  folder=${folder%/}
  # Folders that hold only fakes or factories have nothing to run.
  [ -n "$(find "$folder" -name 'test_*.py' -print -quit)" ] || continue
  case $folder in
    tests/architecture | tests/unit) fast+=("$folder") ;;
    # A browser that is kept open holds the event loop of its process: no asyncio test beside it.
    tests/browser) browser+=("$folder") ;;
    *) rest+=("$folder") ;;
  esac
done

"${pytest[@]}" "${workers[@]}" "${fast[@]}"
if [ ${#browser[@]} -gt 0 ]; then "${pytest[@]}" "${workers[@]}" "${browser[@]}"; fi
# The last line that is printed is pytest's own count.
if [ ${#rest[@]} -gt 0 ]; then "${pytest[@]}" "${workers[@]}" "${rest[@]}"; fi
