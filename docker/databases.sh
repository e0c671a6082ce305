#!/bin/sh
# Roles and databases, one of each for Airflow and for the store. Runs on every `docker compose up`: what is there
# stays, and passwords that were changed in .env are set. Needs PGHOST, PGUSER, PGPASSWORD of the superuser.
set -eu

ensure() { # ensure NAME PASSWORD: a role, and a database that it owns and no other role may enter
    psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --set name="$1" --set password="$2" --dbname postgres <<'SQL'
SELECT format('CREATE ROLE %I LOGIN', :'name')
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'name') \gexec
ALTER ROLE :"name" PASSWORD :'password';
SELECT format('CREATE DATABASE %I OWNER %I', :'name', :'name')
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'name') \gexec
REVOKE ALL ON DATABASE :"name" FROM PUBLIC;
SQL
}

ensure airflow "$AIRFLOW_DB_PASSWORD"
ensure quantconnect "$QUANTCONNECT_DB_PASSWORD"
echo "databases: airflow and quantconnect are there"
