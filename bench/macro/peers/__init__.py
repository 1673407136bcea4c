"""Everybody whom the same bytes are given, ourselves included."""

from peers import (chdb_pull, clickhouse_http, duckdb_file, nginx_put, penstock_stream, polars_parquet, postgres_copy)

ALL = {peer.name: peer for peer in (
    penstock_stream.Penstock, chdb_pull.ChDb, clickhouse_http.ClickHouse, clickhouse_http.ClickHouseTwo, duckdb_file.DuckDb,
    polars_parquet.Polars, postgres_copy.Postgres, nginx_put.Nginx)}
