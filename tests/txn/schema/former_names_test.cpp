#include "txn/schema/former_names.hpp"

#include <gtest/gtest.h>

namespace penstock::txn {
namespace {

using Aliases = std::vector<ColumnAlias>;

std::shared_ptr<const TableSchema> schema_of(std::uint64_t id,
                                             std::vector<std::pair<std::uint32_t, const char*>> columns) {
  auto schema = std::make_shared<TableSchema>();
  schema->id = SchemaId{id};
  for (const auto& [column, name] : columns) {
    ColumnDef def;
    def.id = ColumnId{column};
    def.name = name;
    schema->columns.push_back(def);
  }
  return schema;
}

TEST(FormerNames, a_column_answers_to_all_names_it_had_the_newest_first) {
  FormerNames names(schema_of(1, {{1, "k"}, {2, "a"}}));
  names.note(schema_of(2, {{2, "b"}, {1, "k"}}));
  const auto now = schema_of(3, {{3, "z"}, {1, "K"}, {2, "c"}});
  names.note(now);
  EXPECT_EQ(names.aliases(*now), (Aliases{{"b", 2}, {"k", 1}, {"a", 2}})) << "k and K are two keys";
}

TEST(FormerNames, a_name_that_a_column_has_now_is_nobody_elses) {
  FormerNames names(schema_of(1, {{1, "a"}, {2, "b"}}));
  names.note(schema_of(2, {{1, "t"}, {2, "b"}}));
  names.note(schema_of(3, {{1, "t"}, {2, "a"}}));
  const auto swapped = schema_of(4, {{1, "b"}, {2, "a"}});
  names.note(swapped);
  EXPECT_EQ(names.aliases(*swapped), (Aliases{{"t", 0}}));
}

TEST(FormerNames, a_name_leads_to_the_last_column_that_had_it_and_is_still_there) {
  FormerNames names(schema_of(1, {{1, "a"}, {2, "b"}}));
  names.note(schema_of(2, {{1, "x"}, {2, "b"}}));
  names.note(schema_of(3, {{1, "x"}, {2, "a"}}));
  const auto both = schema_of(4, {{1, "x"}, {2, "y"}});
  names.note(both);
  EXPECT_EQ(names.aliases(*both), (Aliases{{"a", 1}, {"b", 1}}));
  const auto one = schema_of(5, {{1, "x"}});
  names.note(one);
  EXPECT_EQ(names.aliases(*one), (Aliases{{"a", 0}}));
  names.note(schema_of(4, {{1, "older"}}));
  EXPECT_EQ(names.aliases(*one), (Aliases{{"a", 0}})) << "an older schema is nothing new";
}

TEST(FormerNames, there_are_no_more_names_than_the_bound) {
  FormerNames names(schema_of(1, {{1, "n0"}}));
  std::shared_ptr<const TableSchema> last;
  for (std::uint64_t i = 1; i <= FormerNames::kMax + 5; ++i) {
    const std::string name = "n" + std::to_string(i);
    last = schema_of(i + 1, {{1, name.c_str()}});
    names.note(last);
  }
  const Aliases aliases = names.aliases(*last);
  ASSERT_EQ(aliases.size(), FormerNames::kMax);
  EXPECT_EQ(aliases.back().name, "n5");
}

}  // namespace
}  // namespace penstock::txn
