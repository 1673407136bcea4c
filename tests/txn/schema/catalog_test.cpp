#include "txn/schema/catalog.hpp"

#include <gtest/gtest.h>

#include "tests/txn/schema/samples.hpp"

namespace penstock::txn {
namespace {

using core::ByteReader;
using core::ByteWriter;
using core::Errc;

std::vector<std::byte> bytes_of(const CatalogChange& change) {
  std::vector<std::byte> out;
  ByteWriter writer(out);
  encode_change(change, writer);
  return out;
}

std::vector<std::byte> bytes_of(const Catalog& catalog) {
  std::vector<std::byte> out;
  ByteWriter writer(out);
  catalog.encode(writer);
  return out;
}

CatalogPtr catalog_with_tables() {
  auto catalog = after(Catalog::empty(), "CREATE DATABASE zoo PROPERTIES('a' = 'b')");
  catalog = after(catalog, "CREATE DATABASE db");
  catalog = after(catalog, "CREATE TABLE gone (a INT)");
  catalog = after(catalog, "CREATE TABLE zoo.t (a INT COMMENT 'x', b VARCHAR(9) NOT NULL DEFAULT 'y')");
  catalog = after(
      catalog,
      "CREATE TABLE t (a DECIMAL(20,3), d DATETIME(6) DEFAULT CURRENT_TIMESTAMP(3), INDEX i (d)) COMMENT 'c' "
      "PARTITION BY RANGE(d) (PARTITION p VALUES LESS THAN ('2024-01-01')) DISTRIBUTED BY HASH(a) BUCKETS 3 "
      "PROPERTIES('p' = 'q')");
  return after(catalog, "DROP TABLE gone");
}

std::vector<CatalogChange> sample_changes() {
  std::vector<CatalogChange> changes = {CreateDatabase{DatabaseId{7}, "db", {{"k", "v"}}},
                                        DropDatabase{DatabaseId{9}}, DropTable{TableId{3}},
                                        TruncateTable{TableId{3}, TableId{8}, SchemaId{5}}};
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    changes.emplace_back(CreateTable{std::make_shared<const Table>(random_table(seed))});
    Table table = random_table(seed);
    auto schema = std::make_shared<TableSchema>(*table.schema);
    schema->columns.back().initial_value = "what was";
    schema->columns.front().initial_value = "";
    table.schema = std::move(schema);
    changes.emplace_back(AlterTable{std::make_shared<const Table>(std::move(table))});
  }
  return changes;
}

Errc apply_error(const Catalog& catalog, const CatalogChange& change) {
  auto next = catalog.apply(change);
  return next ? Errc::Io : next.error().code;
}

TEST(Catalog, only_shows_nothing_of_the_databases_that_are_not_seen) {
  const auto all = catalog_with_tables();
  const auto some = all->only([](std::string_view name) { return name == "zoo"; });
  EXPECT_EQ(some->databases().size(), 1u);
  EXPECT_EQ(some->find_database("db"), nullptr);
  EXPECT_EQ(some->find_database(all->find_database("db")->id), nullptr);
  EXPECT_EQ(some->find_table("zoo", "t"), all->find_table("zoo", "t"));
  EXPECT_EQ(some->find_table(all->find_table("db", "t")->id), nullptr);
  EXPECT_EQ(some->tables().size(), 1u);
  EXPECT_TRUE(all->only([](std::string_view) { return false; })->databases().empty());
}

TEST(Catalog, is_immutable_and_counts_its_changes) {
  const auto before = with_database();
  const auto copy = *before;
  const auto next = after(before, "CREATE TABLE t (a INT)");
  EXPECT_EQ(*before, copy);
  EXPECT_EQ(before->find_table("db", "t"), nullptr);
  ASSERT_NE(next->find_table("db", "t"), nullptr);
  EXPECT_EQ(next->find_table(TableId{1}), next->find_table("db", "t"));
  EXPECT_EQ(next->find_table("db", "T"), nullptr);
  EXPECT_EQ(next->find_table("DB", "t"), nullptr);
  EXPECT_EQ(next->find_table("db", "t")->schema->find("A")->name, "a");
  EXPECT_EQ(next->version(), before->version() + 1);
}

TEST(Catalog, dropping_a_database_drops_its_tables_and_no_others) {
  auto catalog = catalog_with_tables();
  ASSERT_EQ(catalog->tables().size(), 2U);
  catalog = after(catalog, "DROP DATABASE db");
  EXPECT_EQ(catalog->tables().size(), 1U);
  EXPECT_NE(catalog->find_table("zoo", "t"), nullptr);
  EXPECT_EQ(catalog->find_database("db"), nullptr);
  EXPECT_EQ(catalog->find_database(DatabaseId{2}), nullptr);
}

TEST(Catalog, a_truncated_table_goes_on_under_new_ids_and_is_otherwise_the_same) {
  const auto before = catalog_with_tables();
  const auto old = before->find_table("db", "t");
  const auto catalog = after(before, "TRUNCATE TABLE db.t");
  const auto table = catalog->find_table("db", "t");
  ASSERT_NE(table, nullptr);
  EXPECT_EQ(table->id, before->next_table());
  EXPECT_EQ(table->schema->id, before->next_schema());
  EXPECT_EQ(catalog->find_table(old->id), nullptr);
  EXPECT_GT(catalog->next_table(), table->id);
  EXPECT_GT(catalog->next_schema(), table->schema->id);
  Table same = *table;
  auto schema = std::make_shared<TableSchema>(*table->schema);
  same.id = old->id;
  schema->id = old->schema->id;
  same.schema = schema;
  EXPECT_EQ(same, *old);
  const auto bytes = bytes_of(*catalog);
  ByteReader reader(bytes);
  auto back = Catalog::decode(reader);
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(**back, *catalog);

  const TruncateTable fits{table->id, catalog->next_table(), catalog->next_schema()};
  EXPECT_EQ(apply_error(*catalog, fits), Errc::Io);
  EXPECT_EQ(apply_error(*catalog, TruncateTable{old->id, fits.new_id, fits.new_schema}),
            Errc::InvalidArgument);
  EXPECT_EQ(apply_error(*catalog, TruncateTable{table->id, old->id, fits.new_schema}), Errc::InvalidArgument);
  EXPECT_EQ(apply_error(*catalog, TruncateTable{table->id, fits.new_id, old->schema->id}),
            Errc::InvalidArgument);
  EXPECT_EQ(apply_error(*catalog, TruncateTable{table->id, TableId{UINT64_MAX}, fits.new_schema}),
            Errc::InvalidArgument);
}

TEST(Catalog, refuses_changes_that_do_not_fit) {
  const auto catalog = catalog_with_tables();
  EXPECT_EQ(apply_error(*catalog, CreateDatabase{catalog->next_database(), "db", {}}), Errc::InvalidArgument);
  EXPECT_EQ(apply_error(*catalog, CreateDatabase{DatabaseId{1}, "new", {}}), Errc::InvalidArgument);
  EXPECT_EQ(apply_error(*catalog, CreateDatabase{catalog->next_database(), "", {}}), Errc::InvalidArgument);
  EXPECT_EQ(apply_error(*catalog, CreateDatabase{DatabaseId{UINT64_MAX}, "new", {}}), Errc::InvalidArgument);
  EXPECT_EQ(apply_error(*catalog, DropDatabase{DatabaseId{77}}), Errc::InvalidArgument);
  EXPECT_EQ(apply_error(*catalog, DropTable{TableId{1}}), Errc::InvalidArgument);
  EXPECT_EQ(apply_error(*catalog, CreateTable{nullptr}), Errc::InvalidArgument);

  const auto with = [&](auto edit) {
    Table table = *catalog->find_table("db", "t");
    auto schema = std::make_shared<TableSchema>(*table.schema);
    table.id = catalog->next_table();
    table.name = "new";
    schema->id = catalog->next_schema();
    edit(table, *schema);
    if (table.schema) table.schema = schema;
    return apply_error(*catalog, CreateTable{std::make_shared<const Table>(table)});
  };
  EXPECT_EQ(with([](Table&, TableSchema&) {}), Errc::Io);  // fits
  EXPECT_EQ(with([](Table& t, TableSchema&) { t.name = "t"; }), Errc::InvalidArgument);
  EXPECT_EQ(with([](Table& t, TableSchema&) { t.id = TableId{2}; }), Errc::InvalidArgument);
  EXPECT_EQ(with([](Table&, TableSchema& s) { s.id = SchemaId{2}; }), Errc::InvalidArgument);
  EXPECT_EQ(with([](Table& t, TableSchema&) { t.database = DatabaseId{5}; }), Errc::InvalidArgument);
  EXPECT_EQ(with([](Table& t, TableSchema&) { t.buckets = 0; }), Errc::InvalidArgument);
  EXPECT_EQ(with([](Table& t, TableSchema&) { t.schema = nullptr; }), Errc::InvalidArgument);
  EXPECT_EQ(with([](Table& t, TableSchema&) { t.hash_columns = {ColumnId{9}}; }), Errc::InvalidArgument);
  EXPECT_EQ(with([](Table& t, TableSchema&) { t.key_columns = {ColumnId{2}}; }), Errc::InvalidArgument);
  EXPECT_EQ(with([](Table& t, TableSchema&) { t.next_column = ColumnId{2}; }), Errc::InvalidArgument);
  EXPECT_EQ(with([](Table&, TableSchema& s) { s.columns.clear(); }), Errc::InvalidArgument);
  EXPECT_EQ(with([](Table&, TableSchema& s) { s.columns[1].name = "A"; }), Errc::InvalidArgument);
  EXPECT_EQ(with([](Table&, TableSchema& s) { s.columns[1].id = ColumnId{1}; }), Errc::InvalidArgument);
  EXPECT_EQ(with([](Table&, TableSchema& s) { s.columns[1].type.precision = 3; }), Errc::InvalidArgument);
  EXPECT_EQ(with([](Table&, TableSchema& s) { s.columns[1].default_value = "x"; }), Errc::InvalidArgument);
}

TEST(Catalog, apply_all_is_all_or_nothing_and_equal_to_one_by_one) {
  const auto empty = Catalog::empty();
  const std::vector<CatalogChange> changes = {CreateDatabase{DatabaseId{1}, "db", {}},
                                              CreateTable{std::make_shared<const Table>(random_table(3))},
                                              DropTable{TableId{1}}, CreateDatabase{DatabaseId{2}, "e", {}}};
  auto together = empty->apply_all(changes);
  ASSERT_TRUE(together.has_value());
  CatalogPtr one_by_one = empty;
  for (const auto& change : changes) one_by_one = *one_by_one->apply(change);
  EXPECT_EQ(**together, *one_by_one);
  EXPECT_EQ((*together)->version(), 4U);
  auto bad = changes;
  bad.emplace_back(DropTable{TableId{1}});
  EXPECT_FALSE(empty->apply_all(bad).has_value());
}

TEST(CatalogCodec, changes_come_back_equal) {
  for (const CatalogChange& change : sample_changes()) {
    const auto bytes = bytes_of(change);
    ByteReader reader(bytes);
    auto back = decode_change(reader);
    ASSERT_TRUE(back.has_value());
    EXPECT_EQ(*back, change);
    EXPECT_EQ(reader.remaining(), 0U);
  }
}

TEST(CatalogCodec, catalogs_come_back_equal) {
  for (const auto& catalog : {Catalog::empty(), with_database(), catalog_with_tables()}) {
    const auto bytes = bytes_of(*catalog);
    ByteReader reader(bytes);
    auto back = Catalog::decode(reader);
    ASSERT_TRUE(back.has_value());
    EXPECT_EQ(**back, *catalog);
    EXPECT_EQ(bytes_of(**back), bytes);
    EXPECT_EQ(reader.remaining(), 0U);
    EXPECT_EQ(bytes_of(*after(*back, "CREATE DATABASE more")),
              bytes_of(*after(catalog, "CREATE DATABASE more")));
  }
}

// Decodes damaged bytes: Corrupt, or a value whose only encoding these bytes are.
template <class Decode>
void expect_corrupt_or_canonical(const std::vector<std::byte>& bytes, Decode decode) {
  ByteReader reader(bytes);
  auto value = decode(reader);
  if (!value) {
    EXPECT_EQ(value.error().code, Errc::Corrupt);
    return;
  }
  std::vector<std::byte> again;
  if constexpr (std::is_same_v<std::remove_cvref_t<decltype(*value)>, CatalogChange>) {
    again = bytes_of(*value);
  } else {
    again = bytes_of(**value);
  }
  EXPECT_EQ(again, std::vector<std::byte>(bytes.begin(),
                                          bytes.begin() + static_cast<std::ptrdiff_t>(reader.position())));
}

template <class Decode>
void damage(const std::vector<std::byte>& bytes, Decode decode) {
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const std::vector<std::byte> cut(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
    ByteReader reader(cut);
    auto value = decode(reader);
    ASSERT_FALSE(value.has_value()) << size;
    EXPECT_EQ(value.error().code, Errc::Corrupt);
  }
  auto flipped = bytes;
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      flipped[at] = bytes[at] ^ std::byte(1U << bit);
      expect_corrupt_or_canonical(flipped, decode);
    }
    for (const unsigned value : {0U, 0x7FU, 0xFFU}) {
      flipped[at] = std::byte(value);
      expect_corrupt_or_canonical(flipped, decode);
    }
    flipped[at] = bytes[at];
  }
}

TEST(CatalogCodec, cut_or_flipped_changes_are_corrupt_or_another_change) {
  for (const CatalogChange& change : sample_changes()) damage(bytes_of(change), decode_change);
}

TEST(CatalogCodec, cut_or_flipped_catalogs_are_corrupt_or_another_catalog) {
  damage(bytes_of(*catalog_with_tables()), Catalog::decode);
}

TEST(CatalogCodec, noise_is_corrupt) {
  Dice dice(11);
  for (int round = 0; round < 20000; ++round) {
    std::vector<std::byte> noise(dice.below(200));
    for (auto& byte : noise) byte = std::byte(dice.below(dice.coin() ? 256 : 4));
    if (!noise.empty()) noise[0] = std::byte{1};
    expect_corrupt_or_canonical(noise, decode_change);
    expect_corrupt_or_canonical(noise, Catalog::decode);
  }
}

}  // namespace
}  // namespace penstock::txn
