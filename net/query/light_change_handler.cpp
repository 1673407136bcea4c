#include "net/query/light_change_handler.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "net/json/json_text.hpp"
#include "net/query/rest_reply.hpp"
#include "net/query/rest_user.hpp"

namespace penstock::net {
namespace {

constexpr std::size_t kBodyBytesMax = 64 * core::kKiB;

bool stays(const txn::Table& table, const txn::ColumnDef& column) {
  const auto has = [&](const std::vector<txn::ColumnId>& ids) {
    return std::find(ids.begin(), ids.end(), column.id) != ids.end();
  };
  return column.is_key || has(table.hash_columns) || has(table.partitioning.columns);
}

}  // namespace

Response LightChangeHandler::answer(std::string_view database, std::string_view name,
                                    const std::string& body) const {
  const auto catalog = store_.catalog();
  if (catalog->find_database(database) == nullptr)
    return rest_error(1, "Error", fmt::format("Unknown database '{}'", database));
  const auto table = catalog->find_table(database, name);
  if (table == nullptr) return rest_error(1, "Error", fmt::format("Unknown table '{}'", name));
  if (body.empty()) return rest_ok("null");
  const auto drops = json_flag_field(body, "isDropColumn");
  if (!drops) return rest_error(403, "Bad Request", drops.error());
  if (!*drops) return rest_ok("null");
  const auto column = json_string_field(body, "columnName");
  if (!column) return rest_error(403, "Bad Request", column.error());
  const txn::ColumnDef* const found = table->schema->find(*column);
  if (found != nullptr && stays(*table, *found)) {
    return rest_error(
        1, "Error",
        fmt::format("Column {} is a key, distribution or partition column: it cannot be dropped",
                    found->name));
  }
  return rest_ok("null");
}

core::Task<void> LightChangeHandler::handle(Exchange& exchange) {
  if (!co_await rest_user(exchange, authenticator_, Act::Describe)) co_return;
  auto body = co_await exchange.read_body(kBodyBytesMax);
  if (!body) {
    if (body.error().code == core::Errc::TooLarge) {
      (void)co_await exchange.reply(
          rest_error(403, "Bad Request", fmt::format("the body is larger than {} bytes", kBodyBytesMax)));
    }
    co_return;
  }
  const Response response = answer(exchange.parameter("db"), exchange.parameter("table"), *body);
  (void)co_await exchange.reply(response);
}

}  // namespace penstock::net
