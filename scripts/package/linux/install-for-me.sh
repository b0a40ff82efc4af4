#!/bin/sh
# Puts StableNew into your menu, from where this folder lies. With --remove it takes it out again.
here=$(dirname "$(readlink -f "$0")")
entries="${XDG_DATA_HOME:-$HOME/.local/share}/applications"
entry="$entries/stablenew.desktop"
if [ "$1" = --remove ]; then
  rm -f "$entry"
  exit
fi
mkdir -p "$entries"
# In a desktop entry a backslash, a quote, a dollar and a backtick need a backslash, and a percent another one.
quoted=$(printf '%s' "$here" | sed -e 's/[\\"$`]/\\\\&/g' -e 's/%/%%/g')
sed -e "s|^Exec=.*|Exec=\"$(printf '%s' "$quoted" | sed -e 's/[\\&|]/\\&/g')/stablenew\"|" \
  -e "s|^Icon=.*|Icon=$(printf '%s' "$here" | sed -e 's/[\\&|]/\\&/g')/resources/icons/icon-256.png|" \
  "$here/stablenew.desktop" >"$entry"
echo "StableNew is in your menu ($entry)."
