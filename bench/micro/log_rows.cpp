#include "bench/micro/log_rows.hpp"

#include <cstdio>
#include <random>

#include "core/base/units.hpp"

namespace penstock::bench {

using txn::ColumnDef;
using txn::ColumnId;
using txn::SchemaId;
using txn::TableSchema;
using txn::Type;
using txn::TypeKind;

std::shared_ptr<const TableSchema> log_schema() {
  auto schema = std::make_shared<TableSchema>();
  schema->id = SchemaId(1);
  const Type types[] = {Type::date_time(0),      Type::of(TypeKind::BigInt),
                        Type::of(TypeKind::Int), Type::of(TypeKind::SmallInt),
                        Type::of(TypeKind::Int), Type::decimal(12, 3),
                        Type::varchar(64),       Type::varchar(16),
                        Type::varchar(256),      Type::varchar(64),
                        Type::varchar(256),      Type::string()};
  for (const Type& type : types) {
    const auto id = static_cast<std::uint32_t>(schema->columns.size() + 1);
    schema->columns.push_back(ColumnDef{.id = ColumnId(id), .name = "c" + std::to_string(id), .type = type});
  }
  return schema;
}

const std::string& log_text() {
  static const std::string text = [] {
    std::mt19937_64 random(42);
    const auto pick = [&](std::initializer_list<const char*> words) {
      return words.begin()[random() % words.size()];
    };
    std::string out;
    for (int i = 0; out.size() < 16 * core::kMiB; ++i) {
      char head[160];
      const int second = i / 40;
      std::snprintf(head, sizeof head, "2024-03-%02d %02d:%02d:%02d\t%llu\t%u\t%s\t%u\t%u.%03u\t",
                    1 + second / 86400 % 28, second / 3600 % 24, second / 60 % 60, second % 60,
                    static_cast<unsigned long long>(1'000'000'000ull + random() % 9'000'000'000ull),
                    static_cast<unsigned>(random() % 100'000),
                    pick({"200", "200", "200", "304", "404", "500"}),
                    static_cast<unsigned>(random() % 2'000'000), static_cast<unsigned>(random() % 900),
                    static_cast<unsigned>(random() % 1000));
      out += head;
      out += "host-" + std::to_string(random() % 200) + ".example.net\t";
      out += pick({"GET", "GET", "GET", "POST", "PUT"});
      out += "\t/api/v1/" + std::string(pick({"users", "orders", "items", "carts"})) + "/" +
             std::to_string(random() % 1'000'000) + "\t";
      out += std::to_string(10 + random() % 200) + "." + std::to_string(random() % 256) + "." +
             std::to_string(random() % 256) + "." + std::to_string(random() % 256) + "\t";
      out += pick({"Mozilla/5.0 (X11; Linux x86_64)", "curl/7.88.1", "okhttp/4.9.3", "Mozilla/5.0 (iPhone)"});
      out += "\t";
      for (int k = 0; k < 2; ++k) {
        char word[20];
        std::snprintf(word, sizeof word, "%016llx", static_cast<unsigned long long>(random()));
        out += word;
      }
      out += "\n";
    }
    return out;
  }();
  return text;
}

}  // namespace penstock::bench
