#include "tools/bench/wide_rows.hpp"

#include <array>

namespace penstock::tools {
namespace {

// How a cell is made. `zeros` of a hundred numbers are 0, the others lie in 1 .. most.
enum class Cell : std::uint8_t { Key, Number, Time, Day, Title, Url, Referer, Letters, Phrase, Hash };

struct WideColumn {
  ShapeColumn column;
  Cell cell;
  std::uint64_t zeros = 0;  // of Letters and Phrase: so many of a hundred are empty
  std::uint64_t most = 0;
};

constexpr std::array kWide = std::to_array<WideColumn>({
    {{"watch_id", "BIGINT NOT NULL"}, Cell::Key},
    {{"java_enable", "SMALLINT NOT NULL"}, Cell::Number, 30, 1},
    {{"title", "STRING NOT NULL"}, Cell::Title},
    {{"good_event", "SMALLINT NOT NULL"}, Cell::Number, 0, 1},
    {{"event_time", "DATETIME NOT NULL"}, Cell::Time},
    {{"event_date", "DATE NOT NULL"}, Cell::Day},
    {{"counter_id", "INT NOT NULL"}, Cell::Number, 0, 6500},
    {{"client_ip", "INT NOT NULL"}, Cell::Number, 0, 2'147'000'000},
    {{"region_id", "INT NOT NULL"}, Cell::Number, 0, 5000},
    {{"user_id", "BIGINT NOT NULL"}, Cell::Hash},
    {{"counter_class", "TINYINT NOT NULL"}, Cell::Number, 0, 1},
    {{"os", "TINYINT NOT NULL"}, Cell::Number, 5, 90},
    {{"user_agent", "TINYINT NOT NULL"}, Cell::Number, 5, 80},
    {{"url", "STRING NOT NULL"}, Cell::Url},
    {{"referer", "STRING NOT NULL"}, Cell::Referer},
    {{"is_refresh", "SMALLINT NOT NULL"}, Cell::Number, 90, 1},
    {{"referer_category_id", "SMALLINT NOT NULL"}, Cell::Number, 50, 16000},
    {{"referer_region_id", "INT NOT NULL"}, Cell::Number, 50, 3000},
    {{"url_category_id", "SMALLINT NOT NULL"}, Cell::Number, 20, 16000},
    {{"url_region_id", "INT NOT NULL"}, Cell::Number, 40, 3000},
    {{"resolution_width", "SMALLINT NOT NULL"}, Cell::Number, 5, 2560},
    {{"resolution_height", "SMALLINT NOT NULL"}, Cell::Number, 5, 1600},
    {{"resolution_depth", "TINYINT NOT NULL"}, Cell::Number, 10, 32},
    {{"flash_major", "TINYINT NOT NULL"}, Cell::Number, 40, 11},
    {{"flash_minor", "TINYINT NOT NULL"}, Cell::Number, 60, 9},
    {{"flash_minor2", "STRING NOT NULL"}, Cell::Letters, 70, 5},
    {{"net_major", "TINYINT NOT NULL"}, Cell::Number, 80, 4},
    {{"net_minor", "TINYINT NOT NULL"}, Cell::Number, 80, 4},
    {{"user_agent_major", "SMALLINT NOT NULL"}, Cell::Number, 5, 60},
    {{"user_agent_minor", "VARCHAR(8) NOT NULL"}, Cell::Letters, 10, 2},
    {{"cookie_enable", "TINYINT NOT NULL"}, Cell::Number, 3, 1},
    {{"javascript_enable", "TINYINT NOT NULL"}, Cell::Number, 3, 1},
    {{"is_mobile", "TINYINT NOT NULL"}, Cell::Number, 95, 1},
    {{"mobile_phone", "TINYINT NOT NULL"}, Cell::Number, 95, 90},
    {{"mobile_phone_model", "STRING NOT NULL"}, Cell::Letters, 95, 8},
    {{"params", "STRING NOT NULL"}, Cell::Letters, 98, 20},
    {{"ip_network_id", "INT NOT NULL"}, Cell::Number, 0, 4'000'000},
    {{"trafic_source_id", "TINYINT NOT NULL"}, Cell::Number, 60, 8},
    {{"search_engine_id", "SMALLINT NOT NULL"}, Cell::Number, 85, 90},
    {{"search_phrase", "STRING NOT NULL"}, Cell::Phrase, 87},
    {{"adv_engine_id", "TINYINT NOT NULL"}, Cell::Number, 99, 60},
    {{"is_artifical", "TINYINT NOT NULL"}, Cell::Number, 99, 1},
    {{"window_client_width", "SMALLINT NOT NULL"}, Cell::Number, 5, 2560},
    {{"window_client_height", "SMALLINT NOT NULL"}, Cell::Number, 5, 1600},
    {{"client_time_zone", "SMALLINT NOT NULL"}, Cell::Number, 5, 1000},
    {{"client_event_time", "DATETIME NOT NULL"}, Cell::Time},
    {{"silverlight_version1", "TINYINT NOT NULL"}, Cell::Number, 60, 5},
    {{"silverlight_version2", "TINYINT NOT NULL"}, Cell::Number, 80, 9},
    {{"silverlight_version3", "INT NOT NULL"}, Cell::Number, 60, 60'000},
    {{"page_charset", "VARCHAR(32) NOT NULL"}, Cell::Letters, 5, 3},
    {{"code_version", "INT NOT NULL"}, Cell::Number, 0, 2000},
    {{"is_link", "TINYINT NOT NULL"}, Cell::Number, 96, 1},
    {{"is_download", "TINYINT NOT NULL"}, Cell::Number, 99, 1},
    {{"is_not_bounce", "TINYINT NOT NULL"}, Cell::Number, 97, 1},
    {{"f_uniq_id", "BIGINT NOT NULL"}, Cell::Hash},
    {{"hid", "INT NOT NULL"}, Cell::Number, 0, 1'000'000'000},
    {{"is_old_counter", "TINYINT NOT NULL"}, Cell::Number, 100, 1},
    {{"is_event", "TINYINT NOT NULL"}, Cell::Number, 98, 1},
    {{"is_parameter", "TINYINT NOT NULL"}, Cell::Number, 99, 1},
    {{"dont_count_hits", "TINYINT NOT NULL"}, Cell::Number, 90, 1},
    {{"with_hash", "TINYINT NOT NULL"}, Cell::Number, 97, 1},
    {{"hit_color", "CHAR(1) NOT NULL"}, Cell::Letters, 0, 1},
    {{"local_event_time", "DATETIME NOT NULL"}, Cell::Time},
    {{"age", "TINYINT NOT NULL"}, Cell::Number, 60, 55},
});
constexpr std::array kColumns = [] {
  std::array<ShapeColumn, kWide.size()> columns;
  for (std::size_t i = 0; i < kWide.size(); ++i) columns[i] = kWide[i].column;
  return columns;
}();

constexpr std::uint64_t kJuly2013 = 1'372'636'800'000;  // 2013-07-01 in milliseconds since 1970
constexpr std::array<std::string_view, 16> kWords = {
    "weather", "news",    "tickets", "photo",  "video",    "forum", "online", "house",
    "garden",  "recipes", "school",  "travel", "football", "music", "market", "kitchen"};

// One of a number of addresses, each the same wherever it turns up.
void write_address(RowText& row, std::uint64_t which, std::uint64_t pages) {
  Random of_address(which % pages + 4711);
  row.piece("http://");
  row.piece(kWords[of_address.below(kWords.size())]);
  row.piece("-");
  row.piece(of_address.below(300));
  row.piece(".example/");
  const std::uint64_t depth = of_address.between(1, 3);
  for (std::uint64_t i = 0; i < depth; ++i) {
    row.piece(kWords[of_address.below(kWords.size())]);
    row.piece("/");
  }
  row.piece("page_type=");
  row.piece(of_address.below(100'000));
}

void write_words(RowText& row, Random& chance, std::uint64_t words) {
  for (std::uint64_t i = 0; i < words; ++i) {
    if (i > 0) row.piece(" ");
    row.piece(kWords[chance.below(kWords.size())]);
  }
}

void write_text(RowText& row, const WideColumn& column, Random& chance) {
  row.open_text();
  switch (column.cell) {
    case Cell::Title: {
      Random of_title(chance.below(20'000));
      write_words(row, of_title, of_title.between(2, 9));
      row.piece(" - page ");
      row.piece(of_title.below(1000));
      break;
    }
    case Cell::Url:
      write_address(row, chance.below(50'000), 50'000);
      if (chance.percent(30)) {
        row.piece("&id=");
        row.piece(chance.below(10'000'000));
      }
      break;
    case Cell::Referer:
      if (!chance.percent(20)) write_address(row, chance.below(30'000), 30'000);
      break;
    case Cell::Phrase:
      if (!chance.percent(column.zeros)) write_words(row, chance, chance.between(1, 5));
      break;
    default:
      if (!chance.percent(column.zeros)) {
        char letters[32];
        for (std::uint64_t i = 0; i < column.most; ++i)
          letters[i] = static_cast<char>('a' + chance.below(26));
        row.piece(std::string_view(letters, column.most));
      }
      break;
  }
  row.close_text();
}

}  // namespace

std::span<const ShapeColumn> wide_columns() { return kColumns; }

void write_wide(RowText& row, std::uint64_t key, std::uint64_t number, Random& chance) {
  const std::uint64_t millis = kJuly2013 + number * 27;
  for (const WideColumn& column : kWide) {
    switch (column.cell) {
      case Cell::Key:
        row.number(key);
        break;
      case Cell::Number:
        row.number(chance.percent(column.zeros) ? 0 : chance.between(1, column.most));
        break;
      case Cell::Hash:
        row.number(chance.next() >> 1);
        break;
      case Cell::Time:
        row.datetime(millis, false);
        break;
      case Cell::Day:
        row.date(millis / 86'400'000);
        break;
      default:
        write_text(row, column, chance);
        break;
    }
  }
}

}  // namespace penstock::tools
