#!/usr/bin/env bash
# Shows without a container engine what the image promises: the binary is static and
# runs in a root directory that holds nothing but itself and its settings, as an
# ordinary user.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

binary=bin/wishdesk
if [ "$(uname)" != Linux ]; then
	echo "empty-root: needs Linux; on this machine use: docker compose --profile demo up" >&2
	exit 1
fi

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
chmod 755 "$root"
mkdir -p "$root/etc/wishdesk"
cp "$binary" "$root/wishdesk"
cp configs/example.yaml "$root/etc/wishdesk/wishdesk.yaml"
chmod 755 "$root/wishdesk"
chmod 644 "$root/etc/wishdesk/wishdesk.yaml"

# inside COMMAND...: in the empty root as user 65534, or, for an ordinary user, in a
# user namespace of their own.
inside() {
	if [ "$(id -u)" -eq 0 ]; then
		env -i "$(command -v chroot || echo /usr/sbin/chroot)" --userspec=65534:65534 --groups= "$root" "$@"
	else
		env -i "$(command -v unshare)" --user --root="$root" "$@"
	fi
}

echo "the root directory:"
(cd "$root" && find . -type f)

# A binary that wants a loader could not start here; say so in plain words beforehand.
if LC_ALL=C grep -q -a -E '/lib(64)?/ld-(linux|musl)' "$binary"; then
	echo "empty-root: $binary wants a dynamic loader: it is not static" >&2
	exit 1
fi
echo "static: no dynamic loader is asked for"

echo "in it, as user 65534:"
inside /wishdesk version
inside /wishdesk --help

# Settings are read and checked in there, too: the example's empty secrets are refused by name.
said=$(inside /wishdesk serve --config /etc/wishdesk/wishdesk.yaml 2>&1) && {
	echo "empty-root: serve ran with the example's empty secrets" >&2
	exit 1
}
case $said in
*WISHDESK_ACCOUNTS_0_*) echo "serve refuses the example's empty secrets by name" ;;
*)
	echo "empty-root: serve failed for another reason: $said" >&2
	exit 1
	;;
esac
