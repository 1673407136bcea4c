// Any text as a load's `columns` and `where`: refused with words, or computed over rows without harm.
#include "tests/fuzz/decoder_pieces.hpp"
#include "txn/decode/csv_decoder.hpp"
#include "txn/expression/deriving_decoder.hpp"
#include "txn/expression/load_shape.hpp"

namespace penstock::fuzz {

using namespace txn;

std::vector<std::string> seeds() {
  return {
      "t1,t2,a=t1+1,b=t2*2.5,c=concat(upper(t1),'x',t2),d=now()\na>0 and c like '%x%'",
      "a,b,c,x,d=from_unixtime(x)\nnot (a in (1,2,3)) or b is null",
      "x,y,a=cast(x as int),c=if(x>y,substr(x,1,3),coalesce(y,'-')),d=str_to_date(x,'%Y-%m-%d')\n",
      "x,c=md5(lpad(x,20,'ab')),b=round(x/3,2),a=case when x=1 then 2 else 3 end\nabs(a) between 1 and 2",
      "x,c=replace(trim(x),'a','bb'),d=date_add(x, interval 3 day),b=unix_timestamp(x)\nlength(c)>-1",
  };
}

void run_one(std::string_view input) {
  const std::size_t end = std::min(input.find('\n'), input.size());
  const std::string_view columns = input.substr(0, end);
  const std::string_view where = end < input.size() ? input.substr(end + 1) : "";
  const auto schema = mixed_schema();
  constexpr std::string_view kBody =
      "1,2,3,4\n2020-01-01,2020-01-01 10:11:12,abc,\\N\n-5,0,,x\n\\N,\\N,\\N,\\N\n1e9,99999999999999999999,a "
      "b,1\n";
  const LoadShapeOptions options{
      .columns = columns, .where = where, .expressions = {.now_micros = 1'709'211'845'000'000, .zone = {}}};
  if (!shape_load(schema, options)) return;
  CsvOptions csv;
  csv.column_separator = ",";
  csv.block.rows_max = 3;
  if (const auto shape = shape_load(schema, options);
      !map_columns(*shape->schema, {.columns = shape->columns}))
    return;
  same_in_any_pieces(
      kBody, kBody.size() / 2, schema, [&](DecodeScratch& scratch) -> std::unique_ptr<BodyDecoder> {
        auto shape = *shape_load(schema, options);
        auto mapping = *map_columns(*shape.schema, {.columns = shape.columns});
        auto decoder = std::make_unique<CsvDecoder>(csv, shape.schema, std::move(mapping), scratch);
        if (shape.derivation == nullptr) return decoder;
        return std::make_unique<DerivingDecoder>(std::move(decoder), std::move(shape.derivation),
                                                 DerivingDecoder::Options{csv.cells, csv.block, csv.rejects},
                                                 scratch);
      });
}

}  // namespace penstock::fuzz
