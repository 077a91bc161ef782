#!/usr/bin/env bash
# Print the Chromium that the browser tests drive, installing one where that is possible, and a
# Chinese font with it.
# Order: O2O_CHROMIUM, the system's, the package manager's, Playwright's own. Never nothing.
set -euo pipefail

try() { # A path is only an answer when the program behind it runs.
  [ -n "$1" ] && "$1" --version >/dev/null 2>&1 </dev/null && { echo "$1"; exit 0; } || true
}

on_system() {
  local name
  for name in chromium chromium-browser google-chrome google-chrome-stable; do
    try "$(command -v "$name" 2>/dev/null || true)"
  done
}

playwright_own() {
  .venv/bin/python -c 'from playwright.sync_api import sync_playwright
with sync_playwright() as playwright: print(playwright.chromium.executable_path)' 2>/dev/null || true
}

as_root=()
if [ "$(id -u)" -ne 0 ]; then as_root=(sudo -n); fi

may_install() {
  command -v apt-get >/dev/null && { [ "$(id -u)" -eq 0 ] || sudo -n true 2>/dev/null; }
}

install_packages() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -q &&
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
      apt-get install -q -y --no-install-recommends "$@"
} >/dev/null 2>&1 </dev/null

# Whoever brings the Chromium: without a Chinese font pages have other widths.
if [ -z "$(fc-list :lang=zh 2>/dev/null || true)" ]; then
  if may_install; then
    echo "Installing a Chinese font with apt-get …" >&2
    install_packages fontconfig fonts-noto-cjk || echo "apt-get could not install it." >&2
  else
    echo "No Chinese font is known here (on Debian: apt-get install fontconfig fonts-noto-cjk)." >&2
  fi
fi

if [ -n "${O2O_CHROMIUM:-}" ]; then
  try "$O2O_CHROMIUM"
  echo "O2O_CHROMIUM is set to $O2O_CHROMIUM, which does not run." >&2
  exit 1
fi
on_system

if may_install; then
  echo "Installing chromium with apt-get …" >&2
  install_packages chromium || echo "apt-get could not install it; trying Playwright's …" >&2
  on_system
fi

try "$(playwright_own)"
echo "Installing Playwright's Chromium …" >&2
.venv/bin/python -m playwright install chromium >/dev/null 2>&1 </dev/null || true
try "$(playwright_own)"

echo "No Chromium for the browser tests: install chromium (on Debian: apt-get install chromium fonts-noto-cjk) or set O2O_CHROMIUM to one." >&2
exit 1
