#include "txn/column/sort_key.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace penstock::txn {
namespace {

template <class T>
std::string key_of(Type type, T value, bool descending = false) {
  ColumnView view;
  view.type = type;
  view.rows = 1;
  view.values = reinterpret_cast<const std::byte*>(&value);
  std::string out;
  append_sort_key(out, &view, 0, descending);
  return out;
}

std::string text_key(std::string_view text, bool descending = false) {
  const std::uint32_t offsets[2] = {0, static_cast<std::uint32_t>(text.size())};
  ColumnView view;
  view.type = Type::varchar();
  view.rows = 1;
  view.offsets = offsets;
  view.text = text.data();
  std::string out;
  append_sort_key(out, &view, 0, descending);
  return out;
}

void expect_rising(const std::vector<std::string>& keys) {
  for (std::size_t i = 1; i < keys.size(); ++i) {
    EXPECT_LT(keys[i - 1], keys[i]) << i;
    EXPECT_FALSE(keys[i].starts_with(keys[i - 1])) << i;
  }
}

template <class T>
void expect_order(Type type, const std::vector<T>& values) {
  std::string null;
  append_sort_key(null, nullptr, 0, false);
  std::vector<std::string> rising{null};
  for (const T value : values) rising.push_back(key_of(type, value));
  expect_rising(rising);
  std::vector<std::string> falling;
  for (std::size_t i = values.size(); i-- > 0;) falling.push_back(key_of(type, values[i], true));
  null.clear();
  append_sort_key(null, nullptr, 0, true);
  falling.push_back(null);
  expect_rising(falling);
}

TEST(SortKey, orders_every_type_as_its_values) {
  expect_order<std::uint8_t>(Type::of(TypeKind::Boolean), {0, 1});
  expect_order<std::int8_t>(Type::of(TypeKind::TinyInt), {-128, -1, 0, 1, 127});
  expect_order<std::int16_t>(Type::of(TypeKind::SmallInt), {-32768, -256, -1, 0, 255, 256, 32767});
  expect_order<std::int32_t>(Type::of(TypeKind::Int), {INT32_MIN, -70000, -1, 0, 255, 256, INT32_MAX});
  expect_order<std::int32_t>(Type::of(TypeKind::Date), {-719528, 0, 19000});
  expect_order<std::int64_t>(Type::of(TypeKind::BigInt), {INT64_MIN, -1, 0, 1, 1ll << 40, INT64_MAX});
  expect_order<std::int64_t>(Type::date_time(6), {-1, 0, 1, 1'700'000'000'000'000});
  expect_order<std::int64_t>(Type::decimal(18, 2), {-500, 0, 1, 500});
  expect_order<Int128>(Type::decimal(38, 2), {-(Int128{1} << 100), -1, 0, 1, Int128{1} << 100});
  const double huge = std::numeric_limits<double>::infinity();
  expect_order<double>(Type::of(TypeKind::Double),
                       {-huge, -1e300, -1.5, -1e-300, 0.0, 1e-300, 1.5, 1e300, huge, std::nan("")});
  EXPECT_EQ(key_of(Type::of(TypeKind::Double), -0.0), key_of(Type::of(TypeKind::Double), 0.0));
}

TEST(SortKey, orders_strings_by_their_bytes_and_keeps_columns_apart) {
  using namespace std::string_literals;
  const std::vector<std::string> texts{""s,    "\0"s,   "\0\0"s, "\0\xFF"s, "\x01"s, "a"s,
                                       "a\0"s, "a\0b"s, "aa"s,   "b"s,      "\xFF"s, "\xFF\xFF"s};
  std::vector<std::string> rising;
  std::vector<std::string> falling;
  for (const std::string& text : texts) rising.push_back(text_key(text));
  for (std::size_t i = texts.size(); i-- > 0;) falling.push_back(text_key(texts[i], true));
  expect_rising(rising);
  expect_rising(falling);
  // (a, c) before (ab, b), whatever stands in the second column.
  EXPECT_LT(text_key("a") + text_key("c"), text_key("ab") + text_key("b"));
}

}  // namespace
}  // namespace penstock::txn
