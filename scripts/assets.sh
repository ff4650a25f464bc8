#!/usr/bin/env bash
# Fetches the browser files that others make, by the lock file, and lays out what
# the build embeds: console/assets/dist, each file with its licence.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../console/assets"
if ! command -v npm >/dev/null; then
	echo "assets: Node 20 or newer with npm is needed to build the pages: https://nodejs.org/ (macOS: brew install node)" >&2
	exit 1
fi
npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
from=node_modules
install -m 644 \
	$from/weui/dist/style/weui.min.css \
	$from/htmx.org/dist/htmx.min.js \
	$from/echarts/dist/echarts.simple.min.js dist/
install -m 644 $from/weui/LICENSE.txt dist/LICENSE.weui.txt
install -m 644 $from/htmx.org/LICENSE dist/LICENSE.htmx.txt
install -m 644 $from/echarts/LICENSE dist/LICENSE.echarts.txt
install -m 644 $from/echarts/NOTICE dist/NOTICE.echarts.txt
install -m 644 $from/zrender/LICENSE dist/LICENSE.zrender.txt
touch dist/.fetched
