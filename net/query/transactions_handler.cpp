#include "net/query/transactions_handler.hpp"

#include <fmt/format.h>

#include <charconv>

#include "net/json/json_text.hpp"
#include "net/query/rest_reply.hpp"
#include "net/query/rest_user.hpp"

namespace penstock::net {
namespace {

std::optional<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::expected<txn::TransactionFilter, std::string> parse_filter(const Request& request) {
  txn::TransactionFilter filter;
  filter.database = request.query_value("db").value_or("");
  filter.label_prefix = request.query_value("label_prefix").value_or("");
  if (const auto state = request.query_value("state"); state && !state->empty()) {
    if (*state == txn::txn_state_name(txn::TxnState::Prepare)) {
      filter.state = txn::TxnState::Prepare;
    } else if (*state == txn::txn_state_name(txn::TxnState::Precommitted)) {
      filter.state = txn::TxnState::Precommitted;
    } else {
      return std::unexpected("state: give PREPARE or PRECOMMITTED, or leave it out");
    }
  }
  if (const auto after = request.query_value("after")) {
    const auto number = parse_number(*after);
    if (!number) return std::unexpected("after: give a TxnId");
    filter.after = txn::TxnId(*number);
  }
  if (const auto limit = request.query_value("limit")) {
    const auto number = parse_number(*limit);
    if (!number || *number == 0 || *number > txn::TransactionFilter::kLimitMax) {
      return std::unexpected(
          fmt::format("limit: give a number from 1 to {}", txn::TransactionFilter::kLimitMax));
    }
    filter.limit = *number;
  }
  return filter;
}

std::string number_or_null(const std::optional<std::uint64_t>& number) {
  return number ? std::to_string(*number) : "null";
}

Response bad_request(std::string_view why) { return rest_error(403, "Bad Request", why); }

std::string format_transaction(const txn::TransactionView& each) {
  std::string out =
      fmt::format(R"({{"txn":{},"state":"{}","two_phase":{},"db":{},"table":{},"label":{},)", each.txn.value,
                  txn::txn_state_name(each.state), each.two_phase, json_string(each.database),
                  each.table.empty() ? "null" : json_string(each.table), json_string(each.label));
  return out + fmt::format(R"("age_seconds":{},"rows":{},"bytes":{}}})", each.age_seconds,
                           number_or_null(each.rows), number_or_null(each.bytes));
}

}  // namespace

core::Task<Response> TransactionsHandler::list(const Request& request) {
  auto filter = parse_filter(request);
  if (!filter) co_return bad_request(filter.error());
  const txn::TransactionList found = co_await store_.transactions(std::move(*filter));
  std::string out = R"({"transactions":[)";
  for (const txn::TransactionView& each : found.transactions) {
    if (out.back() != '[') out += ',';
    out += format_transaction(each);
  }
  co_return rest_ok(out + fmt::format(R"(],"more":{}}})", found.more));
}

core::Task<Response> TransactionsHandler::abort(const Request& request) {
  std::string database = request.query_value("db").value_or("");
  std::string prefix = request.query_value("label_prefix").value_or("");
  if (database.empty() || prefix.empty())
    co_return bad_request("give db and label_prefix: /api/_transactions/abort?db=...&label_prefix=...");
  const txn::AbortedTransactions done = co_await store_.abort_all(std::move(database), std::move(prefix));
  co_return rest_ok(fmt::format(R"({{"aborted":{},"refused":{},"first_refusal":{}}})", done.aborted,
                                done.refused, json_string(done.first_refusal)));
}

core::Task<void> TransactionsHandler::handle(Exchange& exchange) {
  const auto user = co_await rest_user(exchange, authenticator_);
  if (!user) co_return;
  const std::string database = exchange.request().query_value("db").value_or("");
  const bool is_permitted = database.empty() ? user->grants->permit_everywhere(Act::ListTransactions)
                                             : user->may(Act::ListTransactions, database);
  if (!is_permitted) {
    (void)co_await exchange.reply(rest_denied(Act::ListTransactions));
    co_return;
  }
  const bool is_abort = exchange.request().method() == Method::Post;
  Response response = is_abort ? co_await abort(exchange.request()) : co_await list(exchange.request());
  (void)co_await exchange.reply(std::move(response));
}

core::Task<void> LoadStateHandler::handle(Exchange& exchange) {
  if (!co_await rest_user(exchange, authenticator_, Act::Describe)) co_return;
  std::string label = exchange.request().query_value("label").value_or("");
  if (label.empty()) {
    (void)co_await exchange.reply(bad_request("No label selected."));
    co_return;
  }
  const auto state = co_await store_.label_state(std::string(exchange.parameter("db")), std::move(label));
  if (!state) {
    (void)co_await exchange.reply(rest_error(500, "Internal Server Error", state.error()));
    co_return;
  }
  (void)co_await exchange.reply(rest_ok(json_string(*state ? txn::txn_state_name(**state) : "UNKNOWN")));
}

}  // namespace penstock::net
