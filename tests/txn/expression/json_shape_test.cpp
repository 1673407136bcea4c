// JSON fields that expressions use and that feed columns as well: both take what the body says.
#include <gtest/gtest.h>

#include "tests/txn/decode/json_run.hpp"
#include "txn/expression/deriving_decoder.hpp"
#include "txn/expression/load_shape.hpp"

namespace penstock::txn {
namespace {

using testing::column;
using testing::Outcome;
using testing::schema_of;

constexpr std::int64_t kNow = 1'709'211'845'678'901;  // 2024-02-29 13:04:05.678901, in the load's zone

Outcome load(const std::shared_ptr<const TableSchema>& schema, std::string_view columns,
             std::string_view body) {
  const core::TimeZone zone = core::TimeZone::fixed(28'800);
  auto shape = shape_load(
      schema, {.columns = columns, .where = "", .expressions = {.now_micros = kNow, .zone = zone}});
  if (!shape) return {.error = shape.error()};
  const MappingOptions mapping{
      .columns = shape->columns, .load_time_micros = kNow, .zone = zone, .json_columns = shape->json_columns};
  DecodeScratch scratch;
  JsonOptions options;
  std::unique_ptr<BodyDecoder> decoder = std::make_unique<JsonDecoder>(
      options, shape->schema, *map_columns(*shape->schema, mapping), mapping, scratch);
  if (shape->derivation != nullptr) {
    decoder = std::make_unique<DerivingDecoder>(
        std::move(decoder), std::move(shape->derivation),
        DerivingDecoder::Options{options.cells, options.block, options.rejects}, scratch);
  }
  return testing::run_pieces(*decoder, schema, {body});
}

std::shared_ptr<const TableSchema> dated() {
  ColumnDef time = column("t", Type::date_time(3));
  time.default_kind = DefaultKind::CurrentTimestamp;
  time.default_precision = 2;
  ColumnDef day = column("d", Type::of(TypeKind::Date), false);
  day.default_kind = DefaultKind::CurrentDate;
  return schema_of({column("k", Type::of(TypeKind::Int)), time, day, column("n", Type::string()),
                    column("y", Type::string())});
}

TEST(JsonShape, defaults_of_now_hold_for_fields_that_expressions_use) {
  const std::string body =
      "{\"k\":1}\n{\"k\":2,\"t\":\"2020-01-01 "
      "00:00:00\",\"d\":\"2020-01-02\"}\n{\"k\":3,\"t\":null,\"n\":1}\n";
  EXPECT_EQ(load(dated(), "", body).rows,
            "1|2024-02-29T13:04:05.670|2024-02-29|\\N|\\N\n2|2020-01-01T00:00|2020-01-02|\\N|\\N\n"
            "3|\\N|2024-02-29|1|\\N\n");
  EXPECT_EQ(load(dated(), "k,t,d,n=t,y=year(d)", body).rows,
            "1|2024-02-29T13:04:05.670|2024-02-29|2024-02-29 13:04:05.670|2024\n"
            "2|2020-01-01T00:00|2020-01-02|2020-01-01 00:00:00|2020\n"
            "3|\\N|2024-02-29|\\N|2024\n");
}

TEST(JsonShape, true_and_false_stay_words_in_json_columns_that_expressions_use) {
  const auto schema =
      schema_of({column("k", Type::of(TypeKind::Int)), column("j", Type::json()), column("s", Type::string()),
                 column("b", Type::of(TypeKind::Boolean)), column("n", Type::string())});
  const std::string body =
      "{\"k\":1,\"j\":true,\"s\":true,\"b\":true}\n{\"k\":2,\"j\":false,\"s\":false,\"b\":false}\n"
      "{\"k\":3,\"j\":{\"a\":true},\"s\":[true]}\n";
  const std::string plain = "1|true|1|true|\\N\n2|false|0|false|\\N\n3|{\"a\":true}|[true]|\\N|\\N\n";
  EXPECT_EQ(load(schema, "", body).rows, plain);
  EXPECT_EQ(load(schema, "k,j,s,b,n=concat(j,'-',s,'-',b)", body).rows,
            "1|true|1|true|true-1-1\n2|false|0|false|false-0-0\n3|{\"a\":true}|[true]|\\N|\\N\n");
}

}  // namespace
}  // namespace penstock::txn
