#include "bench/micro/json_shapes.hpp"

#include <array>
#include <cstdio>
#include <random>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/units.hpp"

namespace penstock::bench {
namespace {

using txn::ColumnDef;
using txn::ColumnId;
using txn::TableSchema;
using txn::Type;
using txn::TypeKind;

std::shared_ptr<const TableSchema> schema_of(const std::vector<std::pair<std::string, Type>>& columns) {
  auto schema = std::make_shared<TableSchema>();
  schema->id = txn::SchemaId(1);
  std::uint32_t id = 0;
  for (const auto& [name, type] : columns) {
    schema->columns.push_back(ColumnDef{.id = ColumnId(++id), .name = name, .type = type});
  }
  return schema;
}

class Writer {
 public:
  explicit Writer(const TableSchema& schema) : schema_(schema) {}

  unsigned below(std::uint64_t bound) { return static_cast<unsigned>(random_() % bound); }
  std::uint64_t number() { return random_(); }
  const std::string& text() const { return text_; }

  // The next value of the row, as it is written.
  template <class... Args>
  void value(const char* format, Args... args) {
    char said[200];
    std::snprintf(said, sizeof said, format, args...);
    text_ += field_ == 0 ? "{\"" : ",\"";
    text_ += schema_.columns[field_].name;
    text_ += "\":";
    text_ += said;
    if (++field_ != schema_.columns.size()) return;
    text_ += "}\n";
    field_ = 0;
  }

 private:
  const TableSchema& schema_;
  std::mt19937_64 random_{1};
  std::size_t field_ = 0;
  std::string text_;
};

void write_log_row(Writer& out, unsigned row) {
  const std::array methods = {"GET", "GET", "POST", "PUT"};
  const std::array agents = {"Mozilla/5.0 (X11; Linux x86_64)", "curl/7.88.1", "okhttp/4.9.3"};
  const unsigned at = row / 40;
  out.value("\"2024-03-01 %02u:%02u:%02u\"", at / 3600 % 24, at / 60 % 60, at % 60);
  out.value("%llu", static_cast<unsigned long long>(1'000'000'000ull + out.number() % 9'000'000'000ull));
  out.value("%u", out.below(100'000));
  out.value("%u", 200 + out.below(5));
  out.value("%u", out.below(2'000'000));
  out.value("%u.%03u", out.below(900), out.below(1000));
  out.value("\"host-%u.example.net\"", out.below(200));
  out.value("\"%s\"", methods[out.below(methods.size())]);
  out.value("\"/api/v1/items/%u\"", out.below(1'000'000));
  out.value("\"%u.%u.%u.%u\"", out.below(256), out.below(256), out.below(256), out.below(256));
  out.value("\"%s\"", agents[out.below(agents.size())]);
  out.value("\"%016llx%016llx\"", static_cast<unsigned long long>(out.number()),
            static_cast<unsigned long long>(out.number()));
}

void write_metric_row(Writer& out, unsigned row) {
  const unsigned at = row / 500;
  out.value("\"2024-03-01 %02u:%02u:%02u\"", at / 3600 % 24, at / 60 % 60, at % 60);
  out.value("%u", out.below(10'000));
  out.value("\"host-%u\"", out.below(200));
  out.value("%u.%02u", out.below(1000), out.below(100));
}

void write_wide_row(Writer& out, unsigned) {
  const std::array words = {"ok", "warn", "error", "retry", "eu-west", "us-east", "a1", ""};
  for (unsigned i = 0; i < 64; ++i) {
    if (i % 4 == 3) {
      out.value("\"%s\"", words[out.below(words.size())]);
    } else {
      out.value("%u", out.below(i % 4 == 0 ? 10 : 1000));
    }
  }
}

// No value of these shapes has a comma or a colon of its own but in the time, where digits follow.
std::string with_blanks(const std::string& lines) {
  std::string out;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    out += lines[i];
    const bool is_behind_key = lines[i] == ':' && lines[i - 1] == '"';
    const bool is_behind_value = lines[i] == ',' && lines[i + 1] == '"';
    if (is_behind_key || is_behind_value) out += ' ';
  }
  return out;
}

JsonLines make(JsonShape shape) {
  JsonLines out;
  void (*write)(Writer&, unsigned) = write_log_row;
  if (shape == JsonShape::Metric) {
    write = write_metric_row;
    out.schema = schema_of({{"ts", Type::date_time(0)},
                            {"id", Type::of(TypeKind::Int)},
                            {"host", Type::varchar(64)},
                            {"value", Type::of(TypeKind::Double)}});
  } else if (shape == JsonShape::Wide) {
    write = write_wide_row;
    std::vector<std::pair<std::string, Type>> columns;
    for (unsigned i = 0; i < 64; ++i) {
      columns.emplace_back("field_" + std::to_string(i),
                           i % 4 == 3 ? Type::varchar(32) : Type::of(TypeKind::Int));
    }
    out.schema = schema_of(columns);
  } else {
    out.schema = schema_of({{"time", Type::date_time(0)},
                            {"request", Type::of(TypeKind::BigInt)},
                            {"user", Type::of(TypeKind::Int)},
                            {"status", Type::of(TypeKind::SmallInt)},
                            {"bytes", Type::of(TypeKind::Int)},
                            {"seconds", Type::decimal(12, 3)},
                            {"host", Type::varchar(64)},
                            {"method", Type::varchar(16)},
                            {"path", Type::varchar(256)},
                            {"address", Type::varchar(64)},
                            {"agent", Type::varchar(256)},
                            {"trace", Type::string()}});
  }
  Writer writer(*out.schema);
  for (unsigned row = 0; writer.text().size() < 16 * core::kMiB; ++row) write(writer, row);
  out.lines = shape == JsonShape::Spaced ? with_blanks(writer.text()) : writer.text();
  out.array = "[" + out.lines;
  for (char& c : out.array) c = c == '\n' ? ',' : c;
  out.array.back() = ']';
  return out;
}

}  // namespace

const JsonLines& json_lines(JsonShape shape) {
  static std::array<JsonLines, kJsonShapes> made;
  JsonLines& lines = made[static_cast<std::size_t>(shape)];
  if (lines.schema == nullptr) lines = make(shape);
  return lines;
}

}  // namespace penstock::bench
