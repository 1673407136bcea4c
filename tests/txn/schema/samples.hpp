// What the tests of this folder share: shorthands for parsing and planning, and random tables.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "txn/schema/catalog.hpp"
#include "txn/schema/ddl_parser.hpp"
#include "txn/schema/plan.hpp"

namespace penstock::txn {

using CatalogPtr = std::shared_ptr<const Catalog>;

// The error's text, or "" if the statement parses and plans.
inline std::string error_of(const Catalog& catalog, std::string_view sql, std::string_view database = "db") {
  auto statement = parse_statement(sql);
  if (!statement) return statement.error().message;
  auto change = plan_change(catalog, *statement, database);
  return change ? "" : change.error().message;
}

inline CatalogPtr after(const CatalogPtr& catalog, std::string_view sql, std::string_view database = "db") {
  auto statement = parse_statement(sql);
  if (!statement) {
    ADD_FAILURE() << sql << ": " << statement.error().message;
    return catalog;
  }
  auto change = plan_change(*catalog, *statement, database);
  if (!change) {
    ADD_FAILURE() << sql << ": " << change.error().message;
    return catalog;
  }
  if (!change->has_value()) return catalog;
  auto next = catalog->apply(**change);
  if (!next) {
    ADD_FAILURE() << sql << ": " << next.error().to_string();
    return catalog;
  }
  return *next;
}

inline CatalogPtr with_database() { return after(Catalog::empty(), "CREATE DATABASE db"); }

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : engine_(seed) {}
  std::size_t below(std::size_t end) { return static_cast<std::size_t>(engine_() % end); }
  bool coin() { return below(2) == 0; }
  template <class List>
  auto pick(const List& list) {
    return list[below(std::size(list))];
  }
  std::string text() {
    static constexpr std::array<std::string_view, 20> kPieces = {"a",
                                                                 "Z",
                                                                 "0",
                                                                 " ",
                                                                 "'",
                                                                 "\"",
                                                                 "\\",
                                                                 "`",
                                                                 "\n",
                                                                 "\t",
                                                                 "%",
                                                                 "_",
                                                                 "--",
                                                                 "/*",
                                                                 "\xC3\xA9",
                                                                 "\xE6\x97\xA5",
                                                                 "\xF0\x9F\x98\x80",
                                                                 ";",
                                                                 "\r",
                                                                 "#"};
    std::string out;
    for (std::size_t left = below(6); left > 0; --left) out += pick(kPieces);
    if (below(8) == 0) out += '\0';
    return out;
  }
  std::string column_name(std::size_t index) {
    static constexpr std::array<std::string_view, 8> kNames = {"k",     "Value ", "index", "\xE5\x88\x97",
                                                               "a.b:c", "x/y",    "key",   "1st \"col\""};
    return std::string(pick(kNames)) + std::to_string(index);
  }
  Type type() {
    switch (below(11)) {
      case 0:
        return Type::of(TypeKind::Boolean);
      case 1:
        return Type::of(TypeKind::TinyInt);
      case 2:
        return Type::of(TypeKind::SmallInt);
      case 3:
        return Type::of(TypeKind::Int);
      case 4:
        return Type::of(TypeKind::BigInt);
      case 5:
        return Type::of(TypeKind::Double);
      case 6: {
        const auto precision = static_cast<std::uint8_t>(1 + below(38));
        return Type::decimal(precision, static_cast<std::uint8_t>(below(precision + 1U)));
      }
      case 7:
        return Type::of(TypeKind::Date);
      case 8:
        return Type::date_time(static_cast<std::uint8_t>(below(7)));
      case 9:
        return Type::varchar(static_cast<std::uint32_t>(1 + below(kVarcharLengthMax)));
      default:
        return Type::string();
    }
  }

 private:
  std::mt19937_64 engine_;
};

// Of the first one or two columns that can do it; none if none can.
inline Partitioning random_partitioning(Dice& dice, const TableSchema& schema) {
  Partitioning out;
  const auto kind = dice.coin() ? PartitionKind::Range : PartitionKind::List;
  std::vector<const ColumnDef*> columns;
  for (const ColumnDef& column : schema.columns) {
    if (can_partition(kind, column.type) && columns.size() < 2) columns.push_back(&column);
  }
  if (columns.empty()) return out;
  out.kind = kind;
  out.is_automatic = dice.coin();
  out.clause = out.is_automatic ? "AUTO PARTITION BY " : "PARTITION BY ";
  out.clause += kind == PartitionKind::Range ? "RANGE(" : "LIST(";
  for (const ColumnDef* column : columns) {
    if (!out.columns.empty()) out.clause += ", ";
    out.clause += '`';
    for (const char c : column->name) out.clause += c == '`' ? "``" : std::string(1, c);
    out.clause += '`';
    out.columns.push_back(column->id);
  }
  out.clause += ")";
  const auto value = [&](std::size_t index, const ColumnDef& column) {
    if (is_string(column.type)) {
      return PartitionValue{PartitionValue::Kind::Text, 0,
                            std::to_string(index).substr(0, column.type.length)};
    }
    Int128 number = static_cast<Int128>(index);
    if (column.type.kind == TypeKind::DateTime)
      number = number * 86'400'000'000 + 1'000'000 * dice.below(86'400);
    return PartitionValue::of(number);
  };
  const bool is_boolean = kind == PartitionKind::List && columns[0]->type.kind == TypeKind::Boolean;
  const std::size_t count = dice.below(is_boolean ? 2 : 5);
  PartitionKey last;
  for (std::size_t i = 0; i < count; ++i) {
    Partition partition;
    partition.name = "p" + std::to_string(i);
    PartitionKey key = {value(i + 1 - (is_boolean ? 1 : 0), *columns[0])};
    if (columns.size() == 2) {
      key.push_back(kind == PartitionKind::Range && dice.coin()
                        ? PartitionValue::word(PartitionValue::Kind::Min)
                        : value(i % 2, *columns[1]));
    }
    if (kind == PartitionKind::Range) {
      if (i + 1 == count && dice.coin())
        key = PartitionKey(columns.size(), PartitionValue::word(PartitionValue::Kind::Max));
      partition.lower = last;
      partition.upper = last = key;
    } else {
      partition.values.push_back(key);
      if (i == 0 && columns[0]->nullable) {
        for (PartitionValue& each : key) each = PartitionValue::word(PartitionValue::Kind::Null);
        if (columns.size() == 2 && !columns[1]->nullable) key[1] = value(1, *columns[1]);
        partition.values.push_back(key);
      }
    }
    out.partitions.push_back(std::move(partition));
  }
  return out;
}

// A table DDL would allow: database 1, table 1, schema 1.
inline Table random_table(std::uint64_t seed) {
  Dice dice(seed);
  auto schema = std::make_shared<TableSchema>();
  schema->id = SchemaId{1};
  const std::size_t count = 1 + dice.below(8);
  for (std::size_t i = 0; i < count; ++i) {
    ColumnDef column;
    column.id = ColumnId{static_cast<std::uint32_t>(i + 1)};
    column.name = dice.column_name(i);
    do column.type = dice.type();
    while (i == 0 && (column.type.kind == TypeKind::Double || column.type.kind == TypeKind::String));
    column.nullable = dice.coin();
    column.comment = dice.coin() ? dice.text() : "";
    switch (dice.below(4)) {
      case 0:
        column.default_kind = DefaultKind::Literal;
        column.default_value = dice.text();
        break;
      case 1:
        if (column.nullable) column.default_kind = DefaultKind::Null;
        break;
      case 2:
        if (column.type.kind == TypeKind::DateTime) {
          column.default_kind = DefaultKind::CurrentTimestamp;
          column.default_precision = static_cast<std::uint8_t>(dice.below(column.type.scale + 1U));
        }
        break;
      default:
        break;
    }
    schema->columns.push_back(std::move(column));
  }
  Table table;
  table.id = TableId{1};
  table.database = DatabaseId{1};
  table.name = dice.pick(std::array<std::string_view, 3>{"t", "Orders-2024_x", "\xE8\xA1\xA8"});
  const std::size_t keys = 1 + dice.below(count);
  for (std::size_t i = 0; i < keys; ++i) {
    auto& column = schema->columns[i];
    if (column.type.kind == TypeKind::Double || column.type.kind == TypeKind::String) break;
    column.is_key = true;
    table.key_columns.push_back(column.id);
  }
  if (dice.coin()) {
    table.distribution = Distribution::Hash;
    table.hash_columns.push_back(ColumnId{1});
  }
  table.buckets = static_cast<std::uint32_t>(1 + dice.below(kBucketsMax));
  for (std::size_t i = dice.below(4); i > 0; --i) {
    table.properties.emplace_back("p" + std::to_string(i) + dice.text(), dice.text());
  }
  table.comment = dice.coin() ? dice.text() : "";
  if (dice.coin())
    table.index_clauses.push_back("INDEX i1 (`" + schema->columns[0].name + "`) USING INVERTED");
  table.next_column = ColumnId{static_cast<std::uint32_t>(count + 1)};
  if (dice.coin()) table.partitioning = random_partitioning(dice, *schema);
  table.schema = std::move(schema);
  return table;
}

}  // namespace penstock::txn
