#!/usr/bin/env bash
# Replace the release that runs on this host: scripts/deploy.sh staging|production IMAGE
# Pulls the image, backs up and migrates, replaces the containers and asks for their health. Where
# that fails, the image from before comes back (its programs run over the newer tables, see
# docs/operations.md) and the script ends with 1.
set -euo pipefail
cd "$(dirname "$0")/.."

environment=${1:?name the environment: staging or production}
image=${2:?name the image}
settings=deploy/$environment.env
state=deploy/$environment.image
healthy_seconds=${HEALTHY_SECONDS:-300}

case $environment in
    staging | production) ;;
    *) echo "There is no environment $environment." >&2; exit 2 ;;
esac
[ -f "$settings" ] || { echo "$settings is missing: copy $settings.example and fill it in." >&2; exit 2; }

compose() {
    PRODAPP_IMAGE=$1 docker compose --env-file "$settings" --profile "$environment" "${@:2}"
}

programs=(web worker dispatcher)

replace() {
    compose "$1" up --detach --no-build --no-deps --wait --wait-timeout "$healthy_seconds" \
        "${programs[@]}"
}

start() {
    compose "$1" up --detach --wait --wait-timeout "$healthy_seconds" database queue &&
        compose "$1" run --rm --no-deps migrate &&
        replace "$1" &&
        compose "$1" up --detach --no-deps proxy prometheus grafana
}

before=$(cat "$state" 2>/dev/null || true)
compose "$image" pull --quiet web
if start "$image"; then
    printf '%s\n' "$image" > "$state"
    echo "$environment runs $image."
    exit 0
fi
compose "$image" logs --tail 50 "${programs[@]}" >&2 || true
if [ -z "$before" ]; then
    echo "$image is not healthy, and there was no release before it." >&2
    exit 1
fi
echo "$image is not healthy: going back to $before." >&2
# The older release does not know the newest tables: it works over them and must not migrate.
replace "$before"
echo "$environment runs $before again." >&2
exit 1
