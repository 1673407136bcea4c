#include "net/load/two_phase_handler.hpp"

#include <fmt/format.h>

#include <charconv>
#include <expected>

#include "core/base/log.hpp"
#include "net/json/json_text.hpp"

namespace penstock::net {
namespace {

using Kind = txn::TxnOperation::Kind;

struct Refusal {
  std::string status;
  std::string text;
};

std::expected<txn::TxnOperation, Refusal> parse(const Request& request, std::string_view database) {
  txn::TxnOperation operation;
  operation.database = database;
  operation.label = request.first_value("label");
  const std::string_view id = request.first_value("txn_id");
  const std::string_view kind = request.first_value("txn_operation");
  if (id.empty() && operation.label.empty()) {
    return std::unexpected(Refusal{"INTERNAL_ERROR", "transaction id or label is empty"});
  }
  if (!id.empty()) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(id.data(), id.data() + id.size(), number);
    if (error != std::errc() || end != id.data() + id.size()) {
      const char* why = error == std::errc::result_out_of_range ? "stoll: out of range" : "stoll";
      return std::unexpected(Refusal{
          "INTERNAL_ERROR", fmt::format("convert txn_id [{}] failed, reason={}", id.substr(0, 64), why)});
    }
    if (number < 0) {  // what a refused load has as its TxnId
      return std::unexpected(Refusal{
          "ANALYSIS_ERROR", fmt::format("errCode = 2, detailMessage = transaction [{}] not found", number)});
    }
    operation.txn = txn::TxnId(static_cast<std::uint64_t>(number));
  }
  if (kind == "commit") {
    operation.kind = Kind::Commit;
  } else if (kind == "abort") {
    operation.kind = Kind::Abort;
  } else {
    return std::unexpected(Refusal{"INTERNAL_ERROR", "transaction operation should be 'commit' or 'abort'"});
  }
  return operation;
}

std::string success_text(const txn::TxnOperation& operation) {
  std::string out;
  if (!operation.label.empty()) out += fmt::format("label [{}] ", operation.label);
  if (operation.txn) out += fmt::format("transaction [{}] ", *operation.txn);
  return out + (operation.kind == Kind::Commit ? "commit successfully." : "abort successfully.");
}

Response reply(std::string_view status, std::string_view text) {
  std::string body = "{\n    \"status\": ";
  append_json_string(body, status);
  body += ",\n    \"msg\": ";
  append_json_string(body, text);
  return Response::json(body + "\n}");
}

}  // namespace

core::Task<void> TwoPhaseHandler::handle(Exchange& exchange) {
  const auto user = co_await authenticator_.check(exchange.request());
  if (!user) {
    (void)co_await exchange.reply(reply("NOT_AUTHORIZED", Authenticator::text_of(user.error())));
    co_return;
  }
  if (!user->may(Act::EndTransaction, exchange.parameter("db"))) {
    (void)co_await exchange.reply(reply("NOT_AUTHORIZED", access_denied(Act::EndTransaction)));
    co_return;
  }
  auto operation = parse(exchange.request(), exchange.parameter("db"));
  if (!operation) {
    (void)co_await exchange.reply(reply(operation.error().status, operation.error().text));
    co_return;
  }
  const txn::TxnAnswer answer = co_await store_.operate(*operation);
  if (answer.done) {
    (void)co_await exchange.reply(reply("Success", success_text(*operation)));
    co_return;
  }
  core::log_info("txn_operation_refused", "db", operation->database, "label", operation->label, "why",
                 answer.text);
  (void)co_await exchange.reply(reply(answer.code, answer.text));
}

}  // namespace penstock::net
