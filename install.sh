#!/usr/bin/env bash
# install.sh: install gantline for the user who runs this. Needs no root.
#
#   ./install.sh --from-source           build this checkout with cargo (Rust 1.95)
#   ./install.sh --archive ADDRESS       install a release archive: an https address or a file
#
#   --sha256 SUM     what the archive must hash to; without it, ADDRESS.sha256 is read
#   --prefix DIR     install to DIR/bin instead of ~/.local/bin
#   --uninstall      remove what was installed there
#
# One file is written: PREFIX/bin/gantline. Nothing else on the machine changes.
set -euo pipefail

prefix=$HOME/.local source='' address='' sum=''

fail() { echo "install.sh: $1" >&2; exit "${2:-1}"; }

usage() { sed -n '2,11s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; }

# fetch ADDRESS FILE: from the network, over TLS alone, or from this machine.
fetch() {
  case $1 in
    https://*) curl --proto '=https' --tlsv1.2 --fail --silent --show-error --location --max-time 600 --output "$2" "$1" ;;
    *://*) fail "only https addresses and files are accepted, not $1" 2 ;;
    *) cp -- "$1" "$2" ;;
  esac || fail "cannot read $1; check the address, or pass another with --archive" 4
}

hash_of() {
  if command -v sha256sum >/dev/null; then sha256sum "$1"; else shasum -a 256 "$1"; fi | cut -d' ' -f1
}

place() { # FILE: into bin, so that a running program and an interrupted copy do no harm
  mkdir -p "$prefix/bin"
  install -m 755 "$1" "$prefix/bin/.gantline.new"
  mv -f "$prefix/bin/.gantline.new" "$prefix/bin/gantline"
}

from_source() {
  command -v cargo >/dev/null || fail 'cargo is not on PATH: install Rust 1.95 or newer, or use --archive' 4
  cd "$(dirname "${BASH_SOURCE[0]}")"
  echo 'building gantline (a few minutes the first time)'
  cargo build --quiet --release --locked --bin gantline
  place "${CARGO_TARGET_DIR:-target}/release/gantline"
}

from_archive() {
  local folder
  folder=$(mktemp -d)
  # shellcheck disable=SC2064 # the folder of now
  trap "rm -rf '$folder'" EXIT
  fetch "$address" "$folder/archive.tar.gz"
  if [[ -z $sum ]]; then
    fetch "$address.sha256" "$folder/sum"
    sum=$(cut -d' ' -f1 "$folder/sum")
  fi
  [[ $(hash_of "$folder/archive.tar.gz") == "$sum" ]] ||
    fail "the archive's SHA-256 is not $sum: it is damaged or not the one published; nothing was installed"
  # Only the program leaves the archive, whatever else is in it.
  tar -xzf "$folder/archive.tar.gz" -C "$folder" gantline 2>/dev/null ||
    fail 'the archive holds no file gantline at its top; nothing was installed'
  [[ -f $folder/gantline && ! -L $folder/gantline ]] || fail 'gantline in the archive is no plain file'
  place "$folder/gantline"
}

while (($#)); do
  case $1 in
    --from-source) source=yes ;;
    --archive) address=${2:?--archive needs an address}; shift ;;
    --sha256) sum=${2:?--sha256 needs a sum}; shift ;;
    --prefix) prefix=${2:?--prefix needs a folder}; shift ;;
    --uninstall) source=remove ;;
    -h | --help) usage; exit ;;
    *) usage >&2; fail "unknown argument $1" 2 ;;
  esac
  shift
done

# A relative prefix means the caller's folder, also after we have left it.
[[ $prefix == /* ]] || prefix=$PWD/$prefix
if [[ $source == remove ]]; then
  rm -f "$prefix/bin/gantline"
  echo "removed $prefix/bin/gantline"
  exit
elif [[ -n $source && -z $address ]]; then
  from_source
elif [[ -z $source && -n $address ]]; then
  from_archive
else
  usage >&2
  fail 'say either --from-source or --archive ADDRESS' 2
fi
echo "installed $prefix/bin/gantline ($("$prefix/bin/gantline" --version))"
case :$PATH: in
  *:"$prefix/bin":*) ;;
  *) echo "it is not on your PATH: export PATH=\"$prefix/bin:\$PATH\"" ;;
esac
echo "to undo: rm '$prefix/bin/gantline'"
