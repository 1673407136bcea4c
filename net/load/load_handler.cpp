#include "net/load/load_handler.hpp"

#include <fmt/format.h>

#include "core/base/log.hpp"
#include "net/load/load_reply.hpp"
#include "net/load/load_session.hpp"

namespace penstock::net {

namespace {
constexpr std::uint64_t kSmallBody =
    128 * core::kKiB;  // received, read and encoded in about the time that a move takes
}

core::Task<void> LoadHandler::refuse(Exchange& exchange, const LoadRequest& request,
                                     const txn::LoadError& why) {
  LoadReply reply;
  reply.label = request.label;
  reply.comment = request.comment;
  reply.two_phase = request.two_phase;
  reply.group_commit = request.group_commit;
  reply.status = "Fail";
  reply.message = fmt::format("[{}]{}", why.code, why.message);
  core::log_info("load_refused", "db", request.database, "table", request.table, "label", request.label,
                 "why", reply.message);
  (void)co_await exchange.reply(Response::json(format_load_reply(reply)));
}

core::Task<void> LoadHandler::handle(Exchange& exchange) {
  if (exchange.was_moved()) {
    auto state = exchange.take_handover();
    co_await run_load_session(exchange, store_, error_logs_,
                              std::unique_ptr<BegunLoad>(static_cast<BegunLoad*>(state.release())));
    co_return;
  }
  const core::Instant received = exchange.shard().now().monotonic;
  // A client that gives no length may send a body all the same: it must not be taken for the next request.
  if (exchange.request().body_length() == BodyLength::None) exchange.close_after_reply();
  LoadRequest known{.database = std::string(exchange.parameter("db")),
                    .table = std::string(exchange.parameter("table"))};
  known.label = exchange.request().header("label").value_or("");
  known.two_phase = exchange.request().header("two_phase_commit") == "true";
  known.group_commit = is_group_commit(exchange.request());

  const auto user = co_await authenticator_.check(exchange.request());
  if (!user) {
    co_await refuse(exchange, known, {"NOT_AUTHORIZED", Authenticator::text_of(user.error())});
    co_return;
  }
  if (!user->may(Act::Load, known.database)) {
    co_await refuse(exchange, known, {"NOT_AUTHORIZED", access_denied(Act::Load)});
    co_return;
  }
  auto request = parse_load_request(exchange.request(), known.database, known.table);
  if (!request) {
    co_await refuse(exchange, known, request.error());
    co_return;
  }
  if (exchange.is_draining()) {
    co_await refuse(exchange, *request,
                    {"CANCELLED", "the server is shutting down: send the load again soon"});
    co_return;
  }
  const std::uint64_t length = exchange.request().content_length();
  std::optional<core::ShardId> small_near;
  if (length > 0 && length <= kSmallBody && request->compression == txn::Compression::None)
    small_near = exchange.shard().id();
  txn::BeginResult began = co_await store_.begin({.database = request->database,
                                                  .table = request->table,
                                                  .label = request->label,
                                                  .two_phase = request->two_phase,
                                                  .group_commit = request->group_commit,
                                                  .small_near = small_near});
  if (began.status == txn::BeginResult::Status::Refused) {
    co_await refuse(exchange, *request, {began.code, began.message});
    co_return;
  }
  if (began.status == txn::BeginResult::Status::LabelExists) {
    LoadReply reply;
    reply.label = request->label;
    reply.comment = request->comment;
    reply.two_phase = request->two_phase;
    reply.status = "Label Already Exists";
    reply.existing_job_status = txn::existing_job_status(began.existing);
    reply.message = "[LABEL_ALREADY_EXISTS]" + txn::label_used_message(request->label, began.existing_txn);
    (void)co_await exchange.reply(Response::json(format_load_reply(reply)));
    co_return;
  }
  auto begun = std::make_unique<BegunLoad>();
  begun->request = std::move(*request);
  begun->load = std::move(began.load);
  begun->received = received;
  begun->begin_time = exchange.shard().now().monotonic - received;
  if (begun->load.shard != exchange.shard().id()) {
    const core::ShardId target = begun->load.shard;
    exchange.move_to(target, std::move(begun));
    co_return;
  }
  co_await run_load_session(exchange, store_, error_logs_, std::move(begun));
}

}  // namespace penstock::net
