#include "net/query/statement_handler.hpp"

#include <fmt/format.h>

#include "net/json/json_text.hpp"
#include "net/query/rest_reply.hpp"
#include "net/query/rest_user.hpp"
#include "net/query/statement_rights.hpp"
#include "txn/schema/ddl_parser.hpp"
#include "txn/schema/name_views.hpp"
#include "txn/schema/names.hpp"
#include "txn/schema/plan.hpp"
#include "txn/schema/show.hpp"

namespace penstock::net {
namespace {

constexpr std::size_t kBodyBytesMax =
    2 * core::kMiB;  // the statement's own limit is 1 MiB; JSON escapes take more

using Rows = std::vector<std::vector<std::optional<std::string>>>;

std::string result_set(const std::vector<std::string>& names, const Rows& rows, std::int64_t millis) {
  std::string out = R"({"type":"result_set","meta":[)";
  for (std::size_t i = 0; i < names.size(); ++i) {
    out += fmt::format(R"({}{{"name":{},"type":"CHAR"}})", i == 0 ? "" : ",", json_string(names[i]));
  }
  out += R"(],"data":[)";
  for (std::size_t r = 0; r < rows.size(); ++r) {
    out += r == 0 ? "[" : ",[";
    for (std::size_t c = 0; c < rows[r].size(); ++c) {
      if (c > 0) out += ',';
      if (rows[r][c]) {
        append_json_string(out, *rows[r][c]);
      } else {
        out += "null";
      }
    }
    out += ']';
  }
  return out + fmt::format(R"(],"status":{{}},"time":{}}})", millis);
}

Rows one_column(std::vector<std::string> values) {
  Rows rows;
  for (std::string& value : values) rows.push_back({std::move(value)});
  return rows;
}

// SHOW and SELECT statements need the catalog only.
std::expected<std::string, std::string> show(const txn::Catalog& catalog, const txn::Statement& statement,
                                             const std::string& current) {
  if (const auto* databases = std::get_if<txn::ShowDatabasesStatement>(&statement)) {
    return result_set({"Database"}, one_column(txn::list_databases(catalog, databases->like)), 0);
  }
  if (const auto* tables = std::get_if<txn::ShowTablesStatement>(&statement)) {
    const std::string& name = tables->database.empty() ? current : tables->database;
    const txn::Database* const database = catalog.find_database(name);
    if (database == nullptr) return std::unexpected(fmt::format("Unknown database '{}'", name));
    Rows rows = one_column(txn::list_tables(*database, tables->like));
    std::vector<std::string> names = {"Tables_in_" + name};
    if (tables->full) {
      names.emplace_back("Table_type");
      for (auto& row : rows) row.emplace_back("BASE TABLE");
    }
    return result_set(names, rows, 0);
  }
  if (const auto* names = std::get_if<txn::SelectNamesStatement>(&statement)) {
    const auto list = txn::select_names(catalog, *names);
    if (!list) return std::unexpected(list.error().message);
    return result_set(list->names, list->rows, 0);
  }
  const auto* const columns = std::get_if<txn::ShowColumnsStatement>(&statement);
  const txn::TableName& asked =
      columns != nullptr ? columns->name : std::get<txn::ShowCreateTableStatement>(statement).name;
  const std::string& name = asked.database.empty() ? current : asked.database;
  if (catalog.find_database(name) == nullptr)
    return std::unexpected(fmt::format("Unknown database '{}'", name));
  const auto table = catalog.find_table(name, asked.table);
  if (table == nullptr) return std::unexpected(fmt::format("Unknown table '{}'", asked.table));
  if (columns != nullptr) {
    const txn::ColumnList list = txn::list_columns(*table, *columns);
    return result_set(list.names, list.rows, 0);
  }
  return result_set({"Table", "Create Table"}, {{table->name, txn::show_create_table(catalog, *table)}}, 0);
}

}  // namespace

// The catalog as far as the user may know of it: what SHOW looks at.
std::shared_ptr<const txn::Catalog> StatementHandler::seen_by(const User& user) {
  auto catalog = store_.catalog();
  if (user.grants->permit_everywhere(Act::Describe)) return catalog;
  return catalog->only([&](std::string_view name) { return user.may(Act::Describe, name); });
}

core::Task<Response> StatementHandler::run(std::string text, std::string database, User user,
                                           core::Shard& shard) {
  const core::Instant from = shard.now().monotonic;
  auto statement = txn::parse_statement(text);
  if (!statement) co_return rest_error(1, "Error", statement.error().message);
  if (const auto denied = denied_act(*user.grants, *statement, database)) co_return rest_denied(*denied);
  if (!txn::is_change(*statement)) {
    auto shown = show(*seen_by(user), *statement, database);
    co_return shown ? rest_ok(*shown) : rest_error(1, "Error", shown.error());
  }
  auto done = co_await store_.execute(std::move(*statement), std::move(database));
  if (!done) co_return rest_error(1, "Error", done.error().message);
  co_return rest_ok(fmt::format(R"({{"type":"exec_status","status":{{}},"time":{}}})",
                                core::to_millis(shard.now().monotonic - from)));
}

core::Task<void> StatementHandler::handle(Exchange& exchange) {
  const auto user = co_await rest_user(exchange, authenticator_);
  if (!user) co_return;
  auto body = co_await exchange.read_body(kBodyBytesMax);
  if (!body) {
    if (body.error().code == core::Errc::TooLarge) {
      (void)co_await exchange.reply(rest_error(
          403, "Bad Request",
          fmt::format("the body is larger than {} bytes: send a shorter statement", kBodyBytesMax)));
    }
    co_return;
  }
  auto statement = json_string_field(*body, "stmt");
  if (!statement) {
    (void)co_await exchange.reply(
        rest_error(403, "Bad Request", statement.error() + R"(; send {"stmt": "..."})"));
    co_return;
  }
  const Response response =
      co_await run(std::move(*statement), std::string(exchange.parameter("db")), *user, exchange.shard());
  (void)co_await exchange.reply(response);
}

}  // namespace penstock::net
