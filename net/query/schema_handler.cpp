#include "net/query/schema_handler.hpp"

#include <fmt/format.h>

#include "net/json/json_text.hpp"
#include "net/query/rest_reply.hpp"
#include "net/query/rest_user.hpp"

namespace penstock::net {
namespace {

using txn::TypeKind;

std::string primitive_name(const txn::Type& type) {
  switch (type.kind) {
    case TypeKind::Boolean:
      return "BOOLEAN";
    case TypeKind::TinyInt:
      return "TINYINT";
    case TypeKind::SmallInt:
      return "SMALLINT";
    case TypeKind::Int:
      return "INT";
    case TypeKind::BigInt:
      return "BIGINT";
    case TypeKind::LargeInt:
      return "LARGEINT";
    case TypeKind::Float:
      return "FLOAT";
    case TypeKind::Double:
      return "DOUBLE";
    case TypeKind::Decimal:
      return type.precision <= 9 ? "DECIMAL32" : type.precision <= 18 ? "DECIMAL64" : "DECIMAL128";
    case TypeKind::Date:
      return "DATEV2";
    case TypeKind::DateTime:
      return "DATETIMEV2";
    case TypeKind::Char:
      return "CHAR";
    case TypeKind::Varchar:
      return "VARCHAR";
    case TypeKind::String:
      return "STRING";
    case TypeKind::Json:
      return "JSON";
    case TypeKind::IpV4:
      return "IPV4";
    case TypeKind::IpV6:
      return "IPV6";
    case TypeKind::Array:
      return "ARRAY";
    case TypeKind::Map:
      return "MAP";
    case TypeKind::Struct:
      return "STRUCT";
  }
  return "UNKNOWN";
}

const char* keys_type(txn::KeyModel model) {
  switch (model) {
    case txn::KeyModel::Duplicate:
      return "DUP_KEYS";
    case txn::KeyModel::Unique:
      return "UNIQUE_KEYS";
    case txn::KeyModel::Aggregate:
      break;
  }
  return "AGG_KEYS";
}

}  // namespace

std::string format_schema(const txn::Table& table) {
  std::string out = fmt::format(R"({{"status":200,"tableType":"OLAP","keysType":"{}","properties":[)",
                                keys_type(table.key_model));
  for (const txn::ColumnDef& column : table.schema->columns) {
    if (out.back() != '[') out += ',';
    out += fmt::format(R"({{"name":{},"type":"{}","comment":{},)", json_string(column.name),
                       primitive_name(column.type), json_string(column.comment));
    if (column.type.kind == TypeKind::Decimal)
      out += fmt::format(R"("precision":"{}","scale":"{}",)", column.type.precision, column.type.scale);
    out += fmt::format(R"("aggregation_type":"{}"}})", column.is_key ? "" : "NONE");
  }
  return out + "]}";
}

core::Task<void> SchemaHandler::handle(Exchange& exchange) {
  if (!co_await rest_user(exchange, authenticator_, Act::Describe)) co_return;
  const std::string_view database = exchange.parameter("db");
  const auto catalog = store_.catalog();
  if (catalog->find_database(database) == nullptr) {
    (void)co_await exchange.reply(rest_error(1, "Error", fmt::format("Unknown database '{}'", database)));
    co_return;
  }
  const auto table = catalog->find_table(database, exchange.parameter("table"));
  (void)co_await exchange.reply(
      table == nullptr
          ? rest_error(1, "Error", fmt::format("Unknown table '{}'", exchange.parameter("table")))
          : rest_ok(format_schema(*table)));
}

}  // namespace penstock::net
