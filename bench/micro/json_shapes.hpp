// Bodies of JSON lines of several shapes, 16 MiB each, for benchmarks: what their columns are, and the text.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "txn/schema/table_schema.hpp"

namespace penstock::bench {

enum class JsonShape : std::uint8_t {
  Log,     // 12 keys, about 310 bytes
  Spaced,  // the same with a blank behind each comma and colon, as Python's json.dumps writes it
  Metric,  // 4 keys, about 80 bytes
  Wide,    // 64 keys, small integers and short strings
};
inline constexpr int kJsonShapes = 4;

struct JsonLines {
  std::shared_ptr<const txn::TableSchema> schema;
  std::string lines;
  std::string array;  // the same rows as one document
};

const JsonLines& json_lines(JsonShape shape);

}  // namespace penstock::bench
