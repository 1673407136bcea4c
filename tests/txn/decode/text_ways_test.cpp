// Strings of all lengths, NULLs and too long ones in any order: what one cell at a time gives, by every way there is.
#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "txn/decode/column_decode.hpp"

namespace penstock::txn {
namespace {

using Random = std::mt19937;
enum class Way { Plain, Even, Cleaned, Made };

// A cell as it is written: how many are NULL or long depends on the mood.
std::string some_cell(Random& random, unsigned mood, bool quotes) {
  static constexpr std::size_t kEdges[] = {0, 1, 2, 3, 31, 32, 33, 63, 64, 65};
  const std::size_t size = random() % 16 == 0 ? kEdges[random() % 10] : random() % (mood % 3 * 84 + 33);
  std::string text;
  while (text.size() < size) text += random() % 5 == 0 ? "\xC3\xA9" : std::string(1, "\\Nabc,"[random() % 6]);
  if (random() % 16 < mood % 8) text = "\\N";
  return quotes ? std::string(random() % 3 == 0, '"') + text + std::string(random() % 3 == 0, '"') : text;
}

// What it means; nothing: NULL.
std::optional<std::string> meant(std::string text, const CellCleaning& cleaning) {
  const bool trims = cleaning.trim != 0 && text.size() >= 2 && text.front() == '"' && text.back() == '"';
  if (trims) text = text.substr(1, text.size() - 2);
  const bool is_null = text == "\\N" && (!trims || cleaning.trimmed_can_be_null);
  if (is_null || (text.empty() && cleaning.empty_is_null)) return std::nullopt;
  return text;
}

// Fills the batch; gives the cells of the field. The text's memory ends where it is promised to, so that the sanitizer
// sees whoever reads on.
std::vector<std::string> fill(Random& random, std::uint32_t field, bool quotes, RowBatch& batch,
                              std::unique_ptr<char[]>& memory) {
  const auto fields = field + 1 + static_cast<std::uint32_t>(random() % 2);
  batch.prepare(fields);
  batch.count = 1 + random() % 300;
  std::string text;
  std::vector<std::string> written;
  auto mood = static_cast<unsigned>(random());
  for (std::uint32_t row = 0; row < batch.count; ++row) {
    if (random() % 40 == 0) mood = static_cast<unsigned>(random());
    batch.rows[row] = {static_cast<std::uint32_t>(text.size()), 0, row * fields};
    for (std::uint32_t i = 0; i < fields; ++i) {
      const std::string cell = some_cell(random, mood, quotes);
      if (i == field) written.push_back(cell);
      text += cell;
      batch.ends[row * fields + i] = static_cast<std::uint32_t>(text.size());
      text += '\t';
    }
    batch.rows[row].next = static_cast<std::uint32_t>(text.size());
  }
  memory = std::make_unique<char[]>(text.size() + 64);
  std::memcpy(memory.get(), text.data(), text.size());
  batch.text = memory.get();
  return written;
}

void compare_batch(Random& random, const ColumnSource& source, Way way, const CellCleaning& cleaning,
                   DecodeScratch& scratch, ColumnBuilder& out) {
  std::vector<std::unique_ptr<char[]>> memory(1);
  const auto written = fill(random, source.field, cleaning.is_needed(), scratch.batch, memory[0]);
  scratch.batch.is_even = way == Way::Even;
  scratch.batch.has_escapes = random() % 2 == 0;
  scratch.bad.clear();
  const std::size_t base = out.rows();
  if (way == Way::Made) {
    std::vector<Cell> cells;
    for (const std::string& cell : written) {
      memory.push_back(std::make_unique<char[]>(cell.size() + 32));
      std::memcpy(memory.back().get(), cell.data(), cell.size());
      cells.push_back(cell == "\\N" ? CellList::null_cell() : Cell{memory.back().get(), cell.size()});
    }
    decode_cells(cells.data(), cells.size(), source, out, scratch.bad);
  } else if (way == Way::Cleaned) {
    decode_cleaned_column(scratch, cleaning, source, out);
  } else {
    decode_column(scratch.batch, source, out, scratch.bad);
  }
  ASSERT_EQ(out.rows(), base + written.size());
  for (std::size_t row = 0; row < written.size(); ++row) {
    const std::optional<std::string> value = meant(written[row], cleaning);
    std::size_t size = value ? std::min<std::size_t>(value->size(), source.definition.type.length) : 0;
    const bool is_bad = value ? size < value->size() && source.rules.strict : !source.definition.nullable;
    while (value && size < value->size() && ((*value)[size] & 0xc0) == 0x80) --size;
    ASSERT_EQ(out.view().text_at(base + row), value && !is_bad ? value->substr(0, size) : "") << written[row];
    ASSERT_EQ(out.view().is_null(base + row), !value && !is_bad) << row << ": " << written[row];
    ASSERT_EQ(scratch.bad.has(row), is_bad) << row << ": " << written[row];
    if (is_bad) ASSERT_EQ(scratch.bad.cells[row].why, value ? BadCell::TooLong : BadCell::Null);
  }
  if (scratch.bad.count != 0 || random() % 4 == 0) out.truncate(base);
}

TEST(TextWays, strings_of_all_lengths_and_nulls_in_any_order_are_what_they_are_one_by_one) {
  static constexpr std::uint32_t kLengths[] = {1, 2, 5, 31, 32, 33, 63, 64, 65, 150, 1000};
  const auto scratch = std::make_unique<DecodeScratch>();
  for (unsigned seed = 1; seed <= 300 && !testing::Test::HasFatalFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    const auto way = static_cast<Way>(random() % 4);
    const Type type = Type::varchar(kLengths[random() % 11]);
    const ColumnDef column{.id = ColumnId(1), .name = "c", .type = type, .nullable = random() % 3 != 0};
    const CellRules rules{.strict = random() % 2 == 0};
    CellCleaning cleaning{.trim = '"', .enclose = random() % 3 == 0 ? '\0' : '"'};
    cleaning.trimmed_can_be_null = random() % 4 != 0;
    cleaning.empty_is_null = random() % 2 == 0;
    if (way != Way::Cleaned) cleaning = {};
    const auto field = static_cast<std::uint32_t>((way == Way::Even ? 1 : 0) + random() % 2);
    const ColumnSource source{7, field, column, rules};
    ColumnBuilder out(type);
    for (int i = 0; i < 6; ++i) compare_batch(random, source, way, cleaning, *scratch, out);
  }
}

}  // namespace
}  // namespace penstock::txn
