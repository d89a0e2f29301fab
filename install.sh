#!/bin/sh
# install.sh: install gantline for the user who runs this. Needs no root; `--help` says how.
#
# One file is written: DIR/gantline. It is moved there whole, after its archive proved to be
# the one published; when anything fails, nothing has changed.
# Exit codes: 1 the archive is not what it should be, 2 wrong usage,
# 4 something is missing, unreachable or forbidden, 130 interrupted.
set -eu

releases=https://github.com/gantline/gantline/releases/download
version=${GANTLINE_VERSION:-0.1.0}
url=${GANTLINE_URL:-}
dir=${GANTLINE_DIR:-}
action=archive archive='' sum='' work='' staged='' there=''

say() { printf '%s\n' "$1"; }

fail() { # CODE MESSAGE
  say "install.sh: $2" >&2
  exit "$1"
}

have() { command -v "$1" >/dev/null 2>&1; }

usage() {
  cat <<'TEXT'
Install gantline for the user who runs this. Needs no root.

  ./install.sh                     the published archive for this machine
  ./install.sh --from-source       build this checkout with cargo (Rust 1.95)
  ./install.sh --uninstall         remove what was installed

  --version V        which release (also GANTLINE_VERSION); this script's own by default
  --url ADDRESS      where its archives and SHA256SUMS are (also GANTLINE_URL):
                     an https address or a folder
  --archive ADDRESS  one archive, instead of --version and --url
  --sha256 SUM       what the archive must hash to, instead of what SHA256SUMS says
  --dir DIR          where to put the program (also GANTLINE_DIR); ~/.local/bin by default
TEXT
}

clean() {
  if [ -n "$work" ]; then rm -rf "$work"; fi
  if [ -n "$staged" ]; then rm -f "$staged"; fi
  # Folders that were made for nothing, up to the one that was there before.
  folder=$dir
  while [ -n "$there" ] && [ "$folder" != "$there" ] && rmdir "$folder" 2>/dev/null; do
    folder=$(dirname "$folder")
  done
}

# The machine as archives are named by it: linux-amd64.
platform() {
  case $(uname -s) in
    Linux) system=linux ;;
    Darwin) system=macos ;;
    *) fail 4 "there is no archive for $(uname -s): gantline runs on Linux and macOS, and on Windows in WSL2" ;;
  esac
  case $(uname -m) in
    x86_64 | amd64) machine=amd64 ;;
    aarch64 | arm64) machine=arm64 ;;
    *) fail 4 "there is no archive for $(uname -m): build it here with --from-source" ;;
  esac
  say "$system-$machine"
}

# fetch ADDRESS FILE: over TLS, from this machine itself, or from a folder.
fetch() {
  case $1 in
    https://*) protocols='=https' ;;
    http://127.0.0.1[:/]* | http://localhost[:/]*) protocols='=http,https' ;;
    *://*) fail 2 "only https addresses and folders are accepted, not $1" ;;
    *)
      [ -f "$1" ] || fail 4 "there is no $1"
      cat <"$1" >"$2" || fail 4 "$1 cannot be read"
      return
      ;;
  esac
  code=0
  if have curl; then
    curl --disable --proto "$protocols" --tlsv1.2 --fail --silent --show-error --location \
      --connect-timeout 30 --max-time 600 --output "$2" "$1" || code=$?
    missing=22
  elif have wget; then
    # One try: what broke off is said, and not tried for minutes.
    tries=''
    if wget --help 2>&1 | grep -q -e --tries; then tries=--tries=1; fi
    wget $tries -q -T 60 -O "$2" "$1" || code=$?
    missing=8
  else
    fail 4 'neither curl nor wget is on PATH: install one of them'
  fi
  case $code in
    0) ;;
    "$missing") fail 4 "the server does not have $1; is the version right?" ;;
    *) fail 4 "$1 was not received whole; nothing was installed. Try again" ;;
  esac
}

hash_of() {
  if have sha256sum; then
    sha256sum <"$1" | cut -d ' ' -f 1
  elif have shasum; then
    shasum -a 256 <"$1" | cut -d ' ' -f 1
  else
    fail 4 'neither sha256sum nor shasum is on PATH, so the archive cannot be checked'
  fi
}

# What SHA256SUMS says of a file. Lines are `HASH  NAME`.
published_sum() { # FILE NAME
  while read -r hash name || [ -n "$hash" ]; do
    case $name in
      "$2" | "*$2") say "$hash" && return ;;
    esac
  done <"$1"
}

from_archive() {
  if [ -z "$archive" ]; then
    name=gantline-$version-$(platform)
    archive=${url:-$releases/v$version}
    archive=${archive%/}/$name.tar.gz
  fi
  case $archive in
    */*) ;;
    *) archive=./$archive ;;
  esac
  file=${archive##*/}
  name=${file%.tar.gz}
  work=$(mktemp -d) || fail 4 'no temporary folder can be made'
  if [ -z "$sum" ]; then
    fetch "${archive%/*}/SHA256SUMS" "$work/sums"
    sum=$(published_sum "$work/sums" "$file")
    [ -n "$sum" ] || fail 1 "SHA256SUMS beside it does not name $file; nothing was installed"
  fi
  fetch "$archive" "$work/archive.tar.gz"
  found=$(hash_of "$work/archive.tar.gz")
  [ "$found" = "$sum" ] ||
    fail 1 "$file hashes to $found, and not to $sum: it is damaged, or not the one published. Nothing was installed"
  # One member by its name, and as bytes: no path, link or mode of the archive is made real.
  tar -xzOf "$work/archive.tar.gz" "$name/gantline" >"$work/gantline" 2>/dev/null ||
    fail 1 "$file holds no $name/gantline; nothing was installed"
  say "$file has the SHA-256 that was published"
  place "$work/gantline"
}

from_source() {
  have cargo || fail 4 'cargo is not on PATH: install Rust 1.95 or newer, or an archive'
  cd "$(dirname "$0")"
  [ -f Cargo.toml ] || fail 2 '--from-source is for a checkout of gantline, and this folder is none'
  say 'building gantline (a few minutes the first time)'
  env -u CARGO_BUILD_TARGET cargo build --quiet --release --locked --bin gantline ||
    fail 1 'the build failed; nothing was installed'
  place "${CARGO_TARGET_DIR:-target}/release/gantline"
}

# Puts a program into the folder under another name, sees it run there, and moves it over.
place() {
  target=$dir/gantline
  [ ! -d "$target" ] || fail 2 "$target is a folder; choose another --dir"
  there=$dir
  until [ -e "$there" ]; do there=$(dirname "$there"); done
  mkdir -p "$dir" 2>/dev/null || fail 4 "$dir cannot be made; choose another folder with --dir"
  staged=$(mktemp "$dir/.gantline.XXXXXX" 2>/dev/null) ||
    fail 4 "$dir cannot be written to; choose another folder with --dir"
  cat <"$1" >"$staged" || fail 4 "the program cannot be written to $dir"
  chmod 755 "$staged"
  installed=$("$staged" --version 2>/dev/null) || installed=''
  [ "${installed#gantline }" != "$installed" ] ||
    fail 1 'the program does not run on this machine; nothing was installed. Build it with --from-source'
  before=''
  if [ -x "$target" ]; then before=$("$target" --version 2>/dev/null) || before='what was there'; fi
  mv -f "$staged" "$target"
  staged='' there=''
  say "installed $target ($installed${before:+, in place of $before})"
  case :$PATH: in
    *:"$dir":*) say "$dir is on your PATH" ;;
    *) say "$dir is not on your PATH: export PATH=\"$dir:\$PATH\"" ;;
  esac
  say "to undo: rm '$target'"
}

uninstall() {
  if [ ! -e "$dir/gantline" ]; then
    say "there is no $dir/gantline"
    return
  fi
  rm -f "$dir/gantline" || fail 4 "$dir/gantline cannot be removed"
  say "removed $dir/gantline"
}

# Called by the last line, so that a script which was received in part does nothing.
main() {
  while [ $# -gt 0 ]; do
    case $1 in
      --from-source) action=source ;;
      --uninstall) action=uninstall ;;
      --version | --url | --archive | --sha256 | --dir)
        [ -n "${2:-}" ] || fail 2 "$1 needs a value"
        case $1 in
          --version) version=${2#v} ;;
          --url) url=$2 ;;
          --archive) archive=$2 ;;
          --sha256) sum=$2 ;;
          --dir) dir=$2 ;;
        esac
        shift
        ;;
      -h | --help) usage && exit ;;
      *) usage >&2 && fail 2 "unknown argument $1" ;;
    esac
    shift
  done
  [ -n "$dir" ] || dir=${HOME:?no HOME: say where with --dir}/.local/bin
  # A relative folder means the caller's, also after we have left it.
  case $dir in
    /*) ;;
    *) dir=$PWD/$dir ;;
  esac
  trap clean EXIT
  trap 'exit 130' INT TERM HUP
  case $action in
    archive) from_archive ;;
    source) from_source ;;
    uninstall) uninstall ;;
  esac
}

main "$@"
