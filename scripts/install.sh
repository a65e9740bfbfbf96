#!/usr/bin/env bash
# Install prodapp from this folder, without a network: ./install.sh [FOLDER]
# Checks every file, makes FOLDER (default: /srv/prodapp) with a virtual environment, installs the
# packages that came along, and makes or upgrades the tables. An installation that is there already
# is upgraded: stop it first; its instance folder stays.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
target=${1:-/srv/prodapp}
python=${PYTHON:-python3}

wanted=$(cat "$here/PYTHON")
found=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
if [ "$found" != "$wanted" ]; then
    echo "This bundle is for Python $wanted, and $python is $found. Name another: PYTHON=python$wanted $0" >&2
    exit 2
fi
echo "Checking the files …"
(cd "$here" && sha256sum --check --quiet --strict SHA256SUMS) || {
    echo "Files are damaged or were changed: nothing was installed. Copy the bundle again." >&2
    exit 1
}
echo "Installing into $target …"
mkdir -p "$target"
rm -rf "$target/prodapp" "$target/migrations"
cp -R "$here/app/." "$target/"
"$python" -m venv --without-pip --clear "$target/.venv"
pip=$(find "$here/wheels" -name 'pip-*.whl')
"$target/.venv/bin/python" "$pip/pip" install --quiet --no-index --no-cache-dir \
    --find-links "$here/wheels" --only-binary :all: -r "$target/requirements.txt"
cd "$target"
if [ "${SKIP_UPGRADE:-}" != 1 ]; then
    .venv/bin/flask --app wsgi upgrade
fi
cat <<END
prodapp is in $target. Settings: .env.example there says what there is, docs/administration.md how
to run it. To try it now:
  cd $target && .venv/bin/python -m prodapp.supervisor
END
