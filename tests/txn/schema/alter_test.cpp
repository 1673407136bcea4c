// ALTER TABLE: parsed, planned, applied, and as bytes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/txn/schema/samples.hpp"
#include "txn/schema/name_views.hpp"
#include "txn/schema/show.hpp"

namespace penstock::txn {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// With initial values as the store works them out: here the default as it is written.
SqlResult<std::optional<CatalogChange>> plan(const Catalog& catalog, std::string_view sql) {
  auto statement = parse_statement(sql);
  if (!statement) return std::unexpected(statement.error());
  if (auto* alter = std::get_if<AlterTableStatement>(&*statement)) {
    for (AlterClause& clause : alter->clauses) {
      if (auto* add = std::get_if<AddColumns>(&clause)) {
        for (ColumnSpec& column : add->columns) column.initial_value = column.default_value;
      }
    }
  }
  return plan_change(catalog, *statement, "db");
}

std::string error(const Catalog& catalog, std::string_view sql) {
  const auto change = plan(catalog, sql);
  return change ? "" : change.error().message;
}

CatalogPtr altered(const CatalogPtr& catalog, std::string_view sql) {
  auto change = plan(*catalog, sql);
  if (!change || !*change) {
    ADD_FAILURE() << sql << ": " << (change ? "nothing to do" : change.error().message);
    return catalog;
  }
  auto next = catalog->apply(**change);
  if (!next) ADD_FAILURE() << sql << ": " << next.error().to_string();
  return next ? *next : catalog;
}

CatalogPtr sample() {
  return after(
      with_database(),
      "CREATE TABLE t (k INT NOT NULL, h VARCHAR(20), p DATE NOT NULL, v INT DEFAULT '3' COMMENT 'old', "
      "d DECIMAL(6,2) NOT NULL, s STRING, INDEX i (v) USING INVERTED COMMENT 'x', INDEX j (s, v)) "
      "DUPLICATE KEY(k) PARTITION BY RANGE(p) (PARTITION a VALUES LESS THAN ('2024-01-01')) "
      "DISTRIBUTED BY HASH(h) BUCKETS 3 PROPERTIES('bloom_filter_columns' = 's, v')");
}

std::vector<std::string> names(const CatalogPtr& catalog) {
  std::vector<std::string> out;
  for (const ColumnDef& column : catalog->find_table("db", "t")->schema->columns) out.push_back(column.name);
  return out;
}

const ColumnDef& column(const CatalogPtr& catalog, std::string_view name) {
  return *catalog->find_table("db", "t")->schema->find(name);
}

TEST(Alter, adds_columns_where_they_are_wanted_under_ids_that_were_never_used) {
  auto catalog = sample();
  const auto before = catalog->find_table("db", "t");
  catalog = altered(catalog, "ALTER TABLE t ADD COLUMN a INT");
  catalog = altered(
      catalog,
      "alter table `db`.`t` add column `b x` VARCHAR(96) NOT NULL DEFAULT 'q' COMMENT 'c' AFTER `K`;");
  catalog = altered(
      catalog, "ALTER TABLE internal.db.t ADD COLUMN (c1 INT, c2 DATETIME(3)) PROPERTIES('timeout' = '5')");
  EXPECT_THAT(names(catalog), ElementsAre("k", "b x", "h", "p", "v", "d", "s", "a", "c1", "c2"));
  const auto now = catalog->find_table("db", "t");
  EXPECT_EQ(now->id, before->id);
  EXPECT_GT(now->schema->id, before->schema->id);
  EXPECT_EQ(catalog->next_schema().value, now->schema->id.value + 1);
  EXPECT_EQ(column(catalog, "a").id, before->next_column);
  EXPECT_EQ(column(catalog, "b x").initial_value, "q");
  EXPECT_EQ(column(catalog, "a").initial_value, std::nullopt);
  EXPECT_EQ(now->next_column.value, before->next_column.value + 4);
}

TEST(Alter, a_column_that_comes_again_is_another_column) {
  auto catalog = sample();
  const ColumnId old = column(catalog, "v").id;
  catalog = altered(catalog, "ALTER TABLE t DROP COLUMN v");
  EXPECT_EQ(catalog->find_table("db", "t")->schema->find("v"), nullptr);
  catalog = altered(catalog, "ALTER TABLE t ADD COLUMN v INT, DROP COLUMN d");
  EXPECT_GT(column(catalog, "v").id, old);
  catalog = altered(catalog, "ALTER TABLE t DROP COLUMN v, ADD COLUMN v BIGINT");
  EXPECT_EQ(column(catalog, "v").type, Type::of(TypeKind::BigInt));
}

TEST(Alter, renames_everywhere_and_drops_indexes_with_their_columns) {
  auto catalog = altered(sample(), "ALTER TABLE t RENAME COLUMN v `new name`");
  catalog = altered(catalog, "ALTER TABLE t RENAME COLUMN h TO hh, RENAME COLUMN k K");
  EXPECT_THAT(names(catalog), ElementsAre("K", "hh", "p", "new name", "d", "s"));
  const auto table = catalog->find_table("db", "t");
  EXPECT_THAT(table->index_clauses,
              ElementsAre("INDEX i (`new name`) USING INVERTED COMMENT 'x'", "INDEX j (`s`, `new name`)"));
  EXPECT_EQ(*find_property(table->properties, "bloom_filter_columns"), "s,new name");
  EXPECT_THAT(show_create_table(*catalog, *table), HasSubstr("HASH(`hh`)"));
  catalog = altered(catalog, "ALTER TABLE t DROP COLUMN s");
  EXPECT_THAT(catalog->find_table("db", "t")->index_clauses,
              ElementsAre("INDEX i (`new name`) USING INVERTED COMMENT 'x'"));
  EXPECT_EQ(*find_property(catalog->find_table("db", "t")->properties, "bloom_filter_columns"), "new name");
}

TEST(Alter, modify_widens_and_keeps_what_it_does_not_name) {
  auto catalog = altered(
      sample(), "ALTER TABLE t MODIFY COLUMN v BIGINT, MODIFY COLUMN d DECIMAL(20,4) COMMENT 'new' AFTER s");
  EXPECT_THAT(names(catalog), ElementsAre("k", "h", "p", "v", "s", "d"));
  EXPECT_EQ(column(catalog, "v").default_value, "3");
  EXPECT_EQ(column(catalog, "v").comment, "old");
  EXPECT_EQ(column(catalog, "d").comment, "new");
  EXPECT_TRUE(column(catalog, "d").nullable) << "NOT NULL was not said";
  catalog = altered(catalog, "ALTER TABLE t MODIFY COLUMN k COMMENT 'the key', MODIFY COMMENT 'a table'");
  EXPECT_EQ(column(catalog, "k").comment, "the key");
  EXPECT_EQ(catalog->find_table("db", "t")->comment, "a table");
  catalog = altered(catalog, "ALTER TABLE t MODIFY COLUMN k INT NOT NULL COMMENT 'still'");
  EXPECT_FALSE(column(catalog, "k").nullable);
  EXPECT_EQ(catalog->find_table("db", "t")->next_column, sample()->find_table("db", "t")->next_column);
}

TEST(Alter, what_changes_nothing_is_no_change) {
  const auto catalog = sample();
  for (const char* sql :
       {"ALTER TABLE t ADD COLUMN IF NOT EXISTS v INT", "ALTER TABLE t DROP COLUMN IF EXISTS zz",
        "ALTER TABLE t MODIFY COLUMN v INT", "ALTER TABLE t MODIFY COLUMN v COMMENT 'old'"}) {
    const auto change = plan(*catalog, sql);
    ASSERT_TRUE(change.has_value()) << sql << change.error().message;
    EXPECT_FALSE(change->has_value()) << sql;
  }
}

TEST(Alter, refuses_in_doriss_words) {
  const auto catalog = sample();
  const auto refusal = [&](std::string_view rest) {
    return error(*catalog, "ALTER TABLE t " + std::string(rest));
  };
  EXPECT_EQ(refusal("ADD COLUMN V INT"), "Can not add column which already exists in base table: V");
  EXPECT_EQ(refusal("ADD COLUMN a INT, ADD COLUMN A INT"),
            "Can not add column which already exists in base table: A");
  EXPECT_EQ(refusal("ADD COLUMN a INT NOT NULL"), "Field 'a' doesn't have a default value");
  EXPECT_EQ(refusal("ADD COLUMN a INT NOT NULL DEFAULT NULL"),
            "Can not set null default value to non nullable column: a");
  EXPECT_EQ(refusal("ADD COLUMN a INT KEY"),
            "Can not add key column a: a table keeps the key that it was made with");
  EXPECT_EQ(refusal("ADD COLUMN a INT SUM"),
            "Can not assign aggregation method on column in Duplicate data model table: a");
  EXPECT_EQ(refusal("ADD COLUMN a INT FIRST"), "Invalid column order. value should be after key. index[t]");
  EXPECT_EQ(refusal("ADD COLUMN a INT AFTER b"), "Column[b] does not found");
  EXPECT_EQ(refusal("ADD COLUMN __DORIS_DELETE_SIGN__ TINYINT"),
            "Incorrect column name '__DORIS_DELETE_SIGN__'");
  EXPECT_EQ(refusal("DROP COLUMN zz"), "Column does not exists: zz");
  EXPECT_EQ(refusal("DROP COLUMN k"), "Key column[k] cannot be dropped");
  EXPECT_EQ(refusal("DROP COLUMN h"), "Distribution column[h] cannot be dropped");
  EXPECT_EQ(refusal("DROP COLUMN P"), "Partition column[p] cannot be dropped");
  EXPECT_EQ(refusal("RENAME COLUMN zz y"), "Column[zz] does not exists");
  EXPECT_EQ(refusal("RENAME COLUMN v v"), "Same column name");
  EXPECT_EQ(refusal("RENAME COLUMN v S"), "Column name[S] is already used");
  EXPECT_EQ(refusal("RENAME COLUMN p day"), "Partition column[p] cannot be renamed");
  EXPECT_EQ(refusal("MODIFY COLUMN zz INT"), "Column[zz] does not exists");
  EXPECT_THAT(refusal("MODIFY COLUMN v SMALLINT"), HasSubstr("Can not change int to smallint"));
  EXPECT_THAT(refusal("MODIFY COLUMN v STRING"), HasSubstr("Can not change int to text"));
  EXPECT_THAT(refusal("MODIFY COLUMN d DECIMAL(7,4) NOT NULL"),
              HasSubstr("Can not change decimal(6,2) to decimal(7,4)"));
  EXPECT_EQ(refusal("MODIFY COLUMN v BIGINT NOT NULL"), "Can not change from nullable to non-nullable");
  EXPECT_EQ(refusal("MODIFY COLUMN v BIGINT DEFAULT '4'"), "Can not change default value");
  EXPECT_EQ(refusal("MODIFY COLUMN h VARCHAR(40)"), "Can not modify distribution column[h]");
  EXPECT_EQ(refusal("MODIFY COLUMN k BIGINT"), "Can not modify key column[k]");
  EXPECT_EQ(refusal("MODIFY COLUMN p DATETIME"), "Can not modify partition column[p]");
  EXPECT_EQ(refusal("MODIFY COLUMN v INT FIRST"),
            "Invalid column order. value should be after key. index[t]");
  EXPECT_EQ(refusal("MODIFY COLUMN v INT AFTER V"), "Column[v] modify position is invalid");
  for (const char* rest :
       {"ADD PARTITION p VALUES LESS THAN ('5')", "ADD INDEX i (v)", "RENAME u", "SET ('a' = 'b')",
        "ORDER BY (k)", "ADD COLUMN a INT TO r", "ADD ROLLUP r (k)", "DROP PARTITION p"}) {
    EXPECT_THAT(refusal(rest), HasSubstr("is not supported yet")) << rest;
  }
  EXPECT_EQ(error(*catalog, "ALTER TABLE u ADD COLUMN a INT"), "Unknown table 'u'");
  EXPECT_EQ(error(*catalog, "ALTER TABLE e.t ADD COLUMN a INT"), "Unknown database 'e'");
  EXPECT_EQ(error(*catalog, "ALTER TABLE t"),
            "unexpected end of the statement: expected ADD, DROP, MODIFY or RENAME");
  const auto small = after(with_database(),
                           "CREATE TABLE t (a VARCHAR(9)) DISTRIBUTED BY RANDOM "
                           "PROPERTIES('enable_duplicate_without_keys_by_default' = 'true')");
  EXPECT_EQ(error(*small, "ALTER TABLE t DROP COLUMN a"),
            "Do not allow remove last column of table: t column: a");
  EXPECT_EQ(error(*small, "ALTER TABLE t MODIFY COLUMN a VARCHAR(5)"),
            "Cannot shorten string length (column a: varchar(9) to varchar(5))");
}

TEST(Alter, widening_is_what_loses_no_value) {
  const Type ints[] = {Type::of(TypeKind::TinyInt), Type::of(TypeKind::SmallInt), Type::of(TypeKind::Int),
                       Type::of(TypeKind::BigInt), Type::of(TypeKind::LargeInt)};
  for (int from = 0; from < 5; ++from) {
    for (int to = 0; to < 5; ++to) EXPECT_EQ(can_widen(ints[from], ints[to]), from <= to);
    EXPECT_EQ(can_widen(ints[from], Type::of(TypeKind::Double)), from <= 2);
    EXPECT_EQ(can_widen(ints[from], Type::of(TypeKind::Float)), from <= 1);
    EXPECT_FALSE(can_widen(ints[from], Type::string()));
    EXPECT_FALSE(can_widen(ints[from], Type::decimal(38, 0)));
  }
  EXPECT_TRUE(can_widen(Type::of(TypeKind::Float), Type::of(TypeKind::Double)));
  EXPECT_FALSE(can_widen(Type::of(TypeKind::Double), Type::of(TypeKind::Float)));
  EXPECT_TRUE(can_widen(Type::decimal(6, 2), Type::decimal(38, 10)));
  EXPECT_FALSE(can_widen(Type::decimal(6, 2), Type::decimal(10, 7)));
  EXPECT_FALSE(can_widen(Type::decimal(6, 2), Type::decimal(38, 1)));
  EXPECT_TRUE(can_widen(Type::character(3), Type::varchar(3)));
  EXPECT_FALSE(can_widen(Type::varchar(3), Type::character(30)));
  EXPECT_TRUE(can_widen(Type::varchar(3), Type::string()));
  EXPECT_FALSE(can_widen(Type::string(), Type::varchar(65533)));
  EXPECT_TRUE(can_widen(Type::of(TypeKind::Date), Type::date_time(0)));
  EXPECT_TRUE(can_widen(Type::date_time(0), Type::date_time(6)));
  EXPECT_FALSE(can_widen(Type::date_time(3), Type::date_time(0)));
  EXPECT_FALSE(can_widen(Type::string(), Type::json()));
  EXPECT_TRUE(can_widen(Type::array(ints[0]), Type::array(ints[0])));
  EXPECT_FALSE(can_widen(Type::array(ints[0]), Type::array(ints[1])));
}

// All columns together: their defaults must fit a row of a load that names none of them, and the table a record.
TEST(Alter, texts_of_columns_are_bounded_together) {
  const std::string long_text(600'000, 'x');
  const std::string sql = "ALTER TABLE t ADD COLUMN a STRING DEFAULT '" + long_text + "'";
  const auto catalog = altered(sample(), sql);
  EXPECT_THAT(error(*catalog, "ALTER TABLE t ADD COLUMN b STRING DEFAULT '" + long_text + "'"),
              HasSubstr("the default values of the columns are longer than 1048576 bytes together"));
  EXPECT_EQ(
      error(*catalog, "ALTER TABLE t ADD COLUMN b STRING DEFAULT '" + long_text.substr(0, 400'000) + "'"),
      "");
  EXPECT_EQ(error(*catalog, "ALTER TABLE t DROP COLUMN a, ADD COLUMN b STRING DEFAULT '" + long_text + "'"),
            "");
  const auto commented = altered(catalog, "ALTER TABLE t MODIFY COLUMN a COMMENT '" + long_text + "'");
  EXPECT_THAT(error(*commented, "ALTER TABLE t MODIFY COLUMN s COMMENT '" + long_text + "'"),
              HasSubstr("the comments of the columns are longer than 1048576 bytes together"));
  EXPECT_EQ(error(*commented,
                  "ALTER TABLE t MODIFY COLUMN a COMMENT 'y', MODIFY COLUMN s COMMENT '" + long_text + "'"),
            "");

  const auto adds = [&](auto fill) {
    Table table = *catalog->find_table("db", "t");
    auto schema = std::make_shared<TableSchema>(*table.schema);
    schema->id = catalog->next_schema();
    schema->columns.push_back({.id = table.next_column, .name = "n", .type = Type::string()});
    fill(schema->columns.back());
    table.next_column = ColumnId{table.next_column.value + 1};
    table.schema = schema;
    return catalog->apply(AlterTable{std::make_shared<const Table>(table)}).has_value();
  };
  EXPECT_TRUE(adds([&](ColumnDef& column) { column.comment = long_text; }));
  EXPECT_FALSE(adds([&](ColumnDef& column) { column.initial_value = long_text; }));
  EXPECT_FALSE(adds([&](ColumnDef& column) {
    column.default_kind = DefaultKind::Literal;
    column.default_value = long_text;
  }));
  EXPECT_FALSE(adds([&](ColumnDef& column) { column.comment = long_text + long_text; }));
}

TEST(Alter, columns_are_counted_over_the_whole_statement) {
  std::string sql = "ALTER TABLE t ADD COLUMN (c0 INT";
  for (int i = 1; i < 4000; ++i) sql += ",c" + std::to_string(i) + " INT";
  EXPECT_TRUE(parse_statement(sql + "), ADD COLUMN (a INT, b INT)").has_value());
  sql += "), ADD COLUMN (d0 INT";
  for (int i = 1; i < 97; ++i) sql += ",d" + std::to_string(i) + " INT";
  const auto parsed = parse_statement(sql + ")");
  ASSERT_FALSE(parsed.has_value());
  EXPECT_THAT(parsed.error().message, HasSubstr("more than 4096 columns"));
}

TEST(Alter, no_default_and_a_default_of_null_are_one_where_there_may_be_null) {
  auto catalog = altered(sample(), "ALTER TABLE t ADD COLUMN x INT, ADD COLUMN y INT DEFAULT NULL");
  catalog =
      altered(catalog, "ALTER TABLE t MODIFY COLUMN x BIGINT NULL DEFAULT NULL, MODIFY COLUMN y BIGINT NULL");
  EXPECT_EQ(column(catalog, "x").type, Type::of(TypeKind::BigInt));
  EXPECT_EQ(column(catalog, "x").default_kind, DefaultKind::None);
  EXPECT_EQ(column(catalog, "y").default_kind, DefaultKind::Null);
  catalog = altered(catalog, "ALTER TABLE t MODIFY COLUMN d DECIMAL(6,2) NULL DEFAULT NULL");
  EXPECT_TRUE(column(catalog, "d").nullable);
  EXPECT_THAT(error(*catalog, "ALTER TABLE t MODIFY COLUMN v INT DEFAULT NULL"),
              HasSubstr("Can not change default value"));
}

TEST(Alter, the_catalog_refuses_alterations_that_old_rows_could_not_be_read_by) {
  const auto catalog = altered(sample(), "ALTER TABLE t ADD COLUMN a INT DEFAULT '1'");
  const auto with = [&](auto edit) {
    Table table = *catalog->find_table("db", "t");
    auto schema = std::make_shared<TableSchema>(*table.schema);
    schema->id = catalog->next_schema();
    edit(table, *schema);
    table.schema = schema;
    return catalog->apply(AlterTable{std::make_shared<const Table>(table)}).has_value();
  };
  const auto nothing = [](Table&, TableSchema&) {};
  EXPECT_TRUE(with(nothing));
  EXPECT_FALSE(catalog->apply(AlterTable{nullptr}).has_value());
  EXPECT_FALSE(with([](Table& t, TableSchema&) { t.id = TableId{9}; }));
  EXPECT_FALSE(with([](Table& t, TableSchema&) { t.name = "u"; }));
  EXPECT_FALSE(with([](Table& t, TableSchema&) { t.buckets = 4; }));
  EXPECT_FALSE(with([](Table& t, TableSchema&) { t.hash_columns = {t.key_columns[0]}; }));
  EXPECT_FALSE(with([](Table&, TableSchema& s) { s.id = SchemaId{1}; }));
  EXPECT_FALSE(with([](Table&, TableSchema& s) { s.id = SchemaId{UINT64_MAX}; }));
  EXPECT_FALSE(with([](Table&, TableSchema& s) { s.columns[3].type = Type::of(TypeKind::TinyInt); }));
  EXPECT_FALSE(with([](Table&, TableSchema& s) { s.columns[3].nullable = false; }));
  EXPECT_FALSE(with([](Table&, TableSchema& s) { s.columns[3].initial_value = "5"; }));
  EXPECT_FALSE(with([](Table& t, TableSchema& s) {
    s.columns.push_back(
        {.id = t.next_column, .name = "n", .type = Type::of(TypeKind::Int), .nullable = false});
    t.next_column = ColumnId{t.next_column.value + 1};
  }));
  EXPECT_FALSE(with([](Table& t, TableSchema& s) {
    s.columns.pop_back();  // a column of its id was there before
    t.next_column = ColumnId{t.next_column.value - 1};
  }));
}

TEST(Alter, its_record_is_what_the_format_says) {
  Table table;
  table.id = TableId{3};
  table.database = DatabaseId{2};
  table.name = "t";
  table.next_column = ColumnId{6};
  auto schema = std::make_shared<TableSchema>();
  schema->id = SchemaId{4};
  schema->columns.push_back({.id = ColumnId{5},
                             .name = "n",
                             .type = Type::of(TypeKind::Int),
                             .default_kind = DefaultKind::Literal,
                             .default_value = "07",
                             .initial_value = "7"});
  table.schema = schema;
  const CatalogChange change = AlterTable{std::make_shared<const Table>(table)};
  std::vector<std::byte> bytes;
  core::ByteWriter writer(bytes);
  encode_change(change, writer);
  std::string hex;
  for (const std::byte byte : bytes) {
    hex += "0123456789abcdef"[std::to_integer<unsigned>(byte) >> 4];
    hex += "0123456789abcdef"[std::to_integer<unsigned>(byte) & 15];
  }
  EXPECT_EQ(hex,
            "0106"                              // format, AlterTable
            "03000000000000000200000000000000"  // table, database
            "0100000074"
            "00"
            "00000000"
            "00"
            "00000000"  // name, key model, key, distribution, hash columns
            "0a000000"
            "00000000"
            "00000000"
            "00000000"  // buckets, properties, comment, partitioning
            "00000000"
            "06000000"
            "0400000000000000"  // indexes, next column, schema
            "01000000"
            "05000000"
            "010000006e"  // columns: id, name
            "04000000000000"
            "01"
            "00"  // type, nullable, is_key
            "81"
            "00"
            "020000003037"
            "0100000037"  // default kind with 128, precision, default, initial value
            "00000000");  // comment
  core::ByteReader reader(bytes);
  const auto back = decode_change(reader);
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(*back, change);
}

// Random statements, one after the other: the catalog is what its changes make it, over bytes as well.
TEST(Alter, random_alterations_apply_replay_and_come_back_equal) {
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    Dice dice(seed);
    CatalogPtr catalog = sample();
    const CatalogPtr first = catalog;
    std::vector<CatalogChange> changes;
    for (int step = 0; step < 30; ++step) {
      const auto columns = names(catalog);
      const std::string some = "`" + dice.pick(columns) + "`";
      const std::string fresh = "c" + std::to_string(dice.below(12));
      std::string sql = "ALTER TABLE t ";
      switch (dice.below(5)) {
        case 0:
          sql += "ADD COLUMN " + fresh + " " + type_name(dice.type()) + " AFTER " + some;
          break;
        case 1:
          sql += "ADD COLUMN " + fresh + " INT NOT NULL DEFAULT '4'";
          break;
        case 2:
          sql += "DROP COLUMN " + some;
          break;
        case 3:
          sql += "RENAME COLUMN " + some + " " + fresh;
          break;
        default:
          sql += "MODIFY COLUMN " + some + " " + type_name(dice.type());
      }
      auto change = plan(*catalog, sql);
      if (!change || !*change) continue;
      auto next = catalog->apply(**change);
      ASSERT_TRUE(next.has_value()) << sql << next.error().to_string();
      catalog = *next;
      std::vector<std::byte> bytes;
      core::ByteWriter writer(bytes);
      encode_change(**change, writer);
      core::ByteReader reader(bytes);
      changes.push_back(*decode_change(reader));
    }
    const auto replayed = first->apply_all(changes);
    ASSERT_TRUE(replayed.has_value());
    EXPECT_EQ(**replayed, *catalog);
    std::vector<std::byte> bytes;
    core::ByteWriter writer(bytes);
    catalog->encode(writer);
    core::ByteReader reader(bytes);
    EXPECT_EQ(**Catalog::decode(reader), *catalog);
    // SHOW CREATE TABLE makes a table with the same columns.
    const auto table = catalog->find_table("db", "t");
    const auto again = after(after(catalog, "DROP TABLE t"), show_create_table(*catalog, *table));
    ASSERT_NE(again->find_table("db", "t"), nullptr);
    EXPECT_EQ(show_create_table(*again, *again->find_table("db", "t")), show_create_table(*catalog, *table));
  }
}

TEST(NameViews, answer_what_clients_ask) {
  auto catalog = after(sample(), "CREATE DATABASE other");
  catalog = after(catalog, "CREATE TABLE other.u (a INT COMMENT 'x') COMMENT 'y'");
  const auto rows = [&](std::string_view sql) {
    const auto statement = parse_statement(sql);
    if (!statement) return "error: " + statement.error().message;
    const auto list = select_names(*catalog, std::get<SelectNamesStatement>(*statement));
    if (!list) return "error: " + list.error().message;
    std::string out;
    for (const auto& row : list->rows) {
      if (!out.empty()) out += '|';
      for (const auto& cell : row) out += (&cell == row.data() ? "" : ",") + cell.value_or("NULL");
    }
    return out;
  };
  EXPECT_EQ(rows("SELECT `SCHEMA_NAME` FROM `INFORMATION_SCHEMA`.`SCHEMATA`;"), "db|other");
  EXPECT_EQ(rows("SELECT SCHEMA_NAME FROM information_schema.schemata WHERE CATALOG_NAME = 'internal' AND "
                 "SCHEMA_NAME = 'db'"),
            "db");
  EXPECT_EQ(rows("SELECT TABLE_NAME FROM information_schema.`TABLES` WHERE TABLE_SCHEMA = 'other'"), "u");
  EXPECT_EQ(
      rows("select table_schema, table_name from information_schema.tables order by table_name limit 1"),
      "db,t");
  EXPECT_EQ(rows("SELECT COLUMN_NAME FROM information_schema.`COLUMNS` WHERE TABLE_SCHEMA = 'db' AND "
                 "TABLE_NAME = 't' "
                 "AND COLUMN_NAME = 'v'"),
            "v");
  EXPECT_EQ(rows("SELECT column_name FROM information_schema.columns WHERE table_name = 'none'"), "");
  EXPECT_EQ(rows("SELECT * FROM information_schema.columns WHERE column_name = 'd'"),
            "internal,db,t,d,5,NULL,NO,decimal,decimal(6,2),,,");
  EXPECT_EQ(rows("SELECT COLUMN_NAME FROM information_schema.columns WHERE TABLE_NAME='t' ORDER BY "
                 "COLUMN_NAME, ORDINAL_POSITION"),
            "d|h|k|p|s|v");
  catalog = after(
      catalog,
      "CREATE TABLE other.v (z VARCHAR(5), y STRING DEFAULT '', x STRING, w STRING DEFAULT 'd', u STRING "
      "DEFAULT '') DISTRIBUTED BY RANDOM BUCKETS 1");
  EXPECT_EQ(
      rows("SELECT COLUMN_NAME FROM information_schema.columns WHERE TABLE_NAME='v' ORDER BY COLUMN_DEFAULT, "
           "COLUMN_NAME"),
      "x|z|u|y|w")
      << "NULL comes before any text";
  EXPECT_EQ(rows("SELECT TABLE_NAME, COLUMN_NAME FROM information_schema.columns WHERE COLUMN_NAME='w'"),
            "v,w");
  EXPECT_EQ(
      rows("SELECT COLUMN_NAME FROM information_schema.columns WHERE TABLE_SCHEMA='db' AND TABLE_NAME='v'"),
      "");
  EXPECT_EQ(rows("SELECT x FROM information_schema.tables"),
            "error: Unknown column 'x' in information_schema.tables");
  for (const char* sql :
       {"SELECT 1", "SELECT a FROM t", "SELECT count(*) FROM information_schema.tables",
        "SELECT * FROM information_schema.views", "SELECT * FROM information_schema.tables WHERE a > 'x'",
        "SELECT * FROM information_schema.tables, t", "SELECT @@version"}) {
    EXPECT_THAT(rows(sql), HasSubstr("error: ")) << sql;
  }
}

TEST(NameViews, an_answer_has_a_bound) {
  std::string sql = " (c0 INT";
  for (int i = 1; i < 4096; ++i) sql += ",c" + std::to_string(i) + " INT";
  sql += ") DISTRIBUTED BY RANDOM BUCKETS 1";
  auto catalog = with_database();
  for (int i = 0; i < 17; ++i) {
    catalog =
        after(catalog, i == 0 ? "CREATE TABLE t0" + sql : "CREATE TABLE t" + std::to_string(i) + " LIKE t0");
  }
  const auto ask = [&](const std::string& text) {
    return select_names(*catalog, std::get<SelectNamesStatement>(*parse_statement(text)));
  };
  const auto all = ask("SELECT COLUMN_NAME FROM information_schema.columns");
  ASSERT_FALSE(all.has_value());
  EXPECT_EQ(all.error().message,
            "information_schema.columns: more than 65536 rows: name a TABLE_SCHEMA and a TABLE_NAME");
  EXPECT_EQ(ask("SELECT * FROM information_schema.columns WHERE TABLE_NAME = 't16'")->rows.size(), 4096u);
  EXPECT_EQ(ask("SELECT * FROM information_schema.columns WHERE COLUMN_NAME = 'c7'")->rows.size(), 17u);

  const std::string comment(1'000'000, 'x');
  catalog = after(with_database(),
                  "CREATE TABLE t0 (a INT COMMENT '" + comment + "') DISTRIBUTED BY RANDOM BUCKETS 1");
  for (int i = 1; i < 40; ++i) catalog = after(catalog, "CREATE TABLE t" + std::to_string(i) + " LIKE t0");
  const auto long_one = ask("SELECT * FROM information_schema.columns");
  ASSERT_FALSE(long_one.has_value());
  EXPECT_THAT(long_one.error().message, HasSubstr("more than 33554432 bytes"));
  EXPECT_FALSE(
      ask("SELECT COLUMN_COMMENT, COLUMN_COMMENT, COLUMN_COMMENT FROM information_schema.columns LIMIT 20")
          .has_value());
  EXPECT_TRUE(ask("SELECT COLUMN_NAME FROM information_schema.columns WHERE TABLE_NAME = 't1'").has_value());
}

}  // namespace
}  // namespace penstock::txn
