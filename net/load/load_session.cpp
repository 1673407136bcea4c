#include "net/load/load_session.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "core/base/log.hpp"
#include "net/load/error_logs.hpp"
#include "net/load/load_decoder.hpp"
#include "net/load/load_reply.hpp"
#include "txn/decode/inflate.hpp"

namespace penstock::net {
namespace {

constexpr std::size_t kErrorRowsShown = 10;

// The log's entries; a reason may itself hold a line delimiter, so they are cut where the next one begins.
std::vector<std::string> first_entries(std::string_view log) {
  constexpr std::string_view kNext = "\nReason: ";
  std::vector<std::string> entries;
  while (!log.empty() && entries.size() < kErrorRowsShown) {
    const std::size_t end = std::min(log.find(kNext), log.size());
    std::string_view entry = log.substr(0, end);
    while (!entry.empty() && (entry.back() == '\n' || entry.back() == ' ')) entry.remove_suffix(1);
    if (!entry.empty()) entries.emplace_back(entry);
    log.remove_prefix(std::min(end + 1, log.size()));
  }
  return entries;
}

// How a body ended.
struct BodyEnd {
  bool is_complete = false;
  bool peer_is_gone = false;  // no reply will be read
  txn::LoadError error;
};

BodyEnd body_error(const core::Error& error, const LoadRequest& request, const BodyReader& body) {
  BodyEnd end;
  switch (error.code) {
    case core::Errc::TimedOut:
      end.error = {"TIMEOUT",
                   fmt::format("the body did not end in time (timeout: {} s, or the body was silent for too "
                               "long): the load is aborted",
                               std::chrono::duration_cast<std::chrono::seconds>(request.timeout).count())};
      break;
    case core::Errc::Cancelled:
      end.error = {"CANCELLED", "the server is shutting down: send the load again soon"};
      end.peer_is_gone = true;
      break;
    case core::Errc::InvalidArgument:
      end.error = {"INVALID_ARGUMENT", "the chunked framing of the body cannot be read: the load is aborted"};
      end.peer_is_gone = body.is_broken();  // answered 400 by the connection
      break;
    default:
      end.error = {"CANCELLED", "the connection ended in mid body: the load is aborted"};
      end.peer_is_gone = true;
  }
  return end;
}

// A load's connection, for those who ask after the load.
class BodySource final : public txn::LoadSource {
 public:
  explicit BodySource(BodyReader& body) : body_(body) {}
  core::Task<End> read_on() override {
    switch (co_await body_.read_on()) {
      case BodyStand::Whole:
        co_return End::Whole;
      case BodyStand::Cut:
        co_return End::Cut;
      case BodyStand::Open:
        co_return End::Open;
      case BodyStand::NotLooked:
        break;
    }
    co_return End::NotLooked;
  }

 private:
  BodyReader& body_;
};

// A body's inflater and what it takes of the shard's memory for such.
class CompressedBody {
 public:
  CompressedBody(txn::Compression compression, txn::StoreShard& shard)
      : inflater(compression), shard_(shard) {}
  CompressedBody(const CompressedBody&) = delete;
  CompressedBody& operator=(const CompressedBody&) = delete;
  ~CompressedBody() { (void)shard_.note_inflate_memory(taken_, 0); }

  std::optional<BodyEnd> note_memory() {
    const std::size_t now = inflater.reserved_bytes();
    const bool fits = shard_.note_inflate_memory(taken_, now);
    taken_ = now;
    if (fits || now <= kSmallWindow) return std::nullopt;  // nobody's gzip fails for others' zstd
    return BodyEnd{
        .error = {"MEM_LIMIT_EXCEEDED",
                  fmt::format("the compressed bodies that arrive on this shard want more than "
                              "inflate_memory_mib ({} MiB) for their windows: send fewer at a time, "
                              "compress with smaller windows, or raise the limit",
                              shard_.limits().inflate_memory_max / core::kMiB)}};
  }

  txn::Inflater inflater;

 private:
  static constexpr std::size_t kSmallWindow = 512 * core::kKiB;

  txn::StoreShard& shard_;
  std::size_t taken_ = 0;
};

// What a piece of a compressed body says, a bounded output at a time; others have their turn between two. Empty: there
// was nothing wrong.
core::Task<std::optional<BodyEnd>> append_inflated(Exchange& exchange, CompressedBody& compressed,
                                                   txn::Load& load, const LoadRequest& request,
                                                   core::Instant deadline) {
  for (bool is_first = true;; is_first = false) {
    const auto out = compressed.inflater.next();
    if (!out) co_return BodyEnd{.error = {"INVALID_ARGUMENT", out.error()}};
    if (auto end = compressed.note_memory()) co_return std::move(*end);
    if (out->empty()) co_return std::nullopt;
    if (!is_first) {
      co_await exchange.shard().yield();
      if (deadline <= exchange.shard().now().monotonic) {
        co_return body_error(core::Error{.code = core::Errc::TimedOut}, request, exchange.body());
      }
    }
    auto appended = co_await load.append(*out);
    if (!appended) co_return BodyEnd{.error = appended.error()};
  }
}

core::Task<BodyEnd> receive_compressed(Exchange& exchange, txn::Store& store, txn::Load& load,
                                       const LoadRequest& request, core::Instant deadline) {
  BodyReader& body = exchange.body();
  CompressedBody compressed(request.compression, store.here());
  txn::Inflater& inflater = compressed.inflater;
  for (;;) {
    auto piece = co_await body.next();
    if (!piece) co_return body_error(piece.error(), request, body);
    if (piece->is_end()) {
      load.note_received();
      break;
    }
    inflater.give(piece->bytes);
    if (auto end = co_await append_inflated(exchange, compressed, load, request, deadline))
      co_return std::move(*end);
  }
  const auto rest = inflater.finish();
  if (!rest) co_return BodyEnd{.error = {"INVALID_ARGUMENT", rest.error()}};
  if (!rest->empty()) {
    if (auto appended = co_await load.append(*rest); !appended) co_return BodyEnd{.error = appended.error()};
  }
  if (auto end = co_await append_inflated(exchange, compressed, load, request, deadline))
    co_return std::move(*end);
  co_return BodyEnd{.is_complete = true};
}

core::Task<BodyEnd> receive(Exchange& exchange, txn::Store& store, txn::Load& load,
                            const LoadRequest& request, core::Instant deadline) {
  if (request.compression != txn::Compression::None) {
    co_return co_await receive_compressed(exchange, store, load, request, deadline);
  }
  BodyReader& body = exchange.body();
  for (;;) {
    auto piece = co_await body.next();
    if (!piece) co_return body_error(piece.error(), request, body);
    if (piece->is_end()) co_return BodyEnd{.is_complete = true};
    auto appended = co_await load.append(piece->bytes);
    if (!appended) co_return BodyEnd{.error = appended.error()};
  }
}

}  // namespace

core::Task<void> run_load_session(Exchange& exchange, txn::Store& store, ErrorLogs& error_logs,
                                  std::unique_ptr<BegunLoad> begun) {
  const LoadRequest& request = begun->request;
  core::Shard& shard = exchange.shard();
  LoadReply reply;
  reply.txn_id = static_cast<std::int64_t>(begun->load.txn.value);
  reply.label = begun->load.label;
  reply.comment = request.comment;
  reply.two_phase = request.two_phase;
  reply.group_commit = request.group_commit;
  reply.begin_ms = core::to_millis(begun->begin_time);

  const txn::Load::MakeDecoding make = [&request, &limits = store.limits(), table = begun->load.table,
                                        now = shard.now().wall_micros](txn::DecodeScratch& scratch) {
    return make_load_decoder(request, limits, *table, now, scratch);
  };
  auto made = make(store.here().scratch());
  if (!made) {
    co_await store.abort(begun->load.txn, made.error().message);
    reply.status = "Fail";
    reply.message = fmt::format("[{}]{}", made.error().code, made.error().message);
    reply.load_ms = core::to_millis(shard.now().monotonic - begun->received);
    (void)co_await exchange.reply(Response::json(format_load_reply(reply)));
    co_return;
  }
  auto load = std::make_unique<txn::Load>(store.here(), begun->load, std::move(made->decoder),
                                          request.max_filter_ratio, std::move(made->follow));
  load->allow_split(make);
  reply.put_ms = core::to_millis(shard.now().monotonic - begun->received) - reply.begin_ms;

  const core::Instant deadline = shard.now().monotonic + request.timeout;
  exchange.body().set_deadline(deadline);
  const core::Instant receive_from = shard.now().monotonic;
  BodySource source(exchange.body());
  load->set_source(&source);
  BodyEnd end{.peer_is_gone = true, .error = {"CANCELLED", "the connection ended before the body"}};
  if (auto continued = co_await exchange.send_continue(); continued)
    end = co_await receive(exchange, store, *load, request, deadline);
  load->note_received();
  load->set_source(nullptr);
  co_await exchange.body().end_reading_on();
  const core::Instant received = shard.now().monotonic;
  reply.receive_ms = reply.read_ms = core::to_millis(received - receive_from);

  std::expected<void, txn::LoadError> outcome = std::unexpected(end.error);
  if (end.is_complete) outcome = co_await load->finish();
  if (!outcome) co_await load->abort(outcome.error().message);

  const core::Instant decided = shard.now().monotonic;
  const txn::LoadCounts counts = load->counts();
  reply.total_rows = counts.total_rows;
  reply.filtered_rows = counts.filtered_rows;
  reply.loaded_rows = outcome ? counts.loaded_rows : 0;
  reply.unselected_rows = counts.unselected_rows;
  reply.load_bytes = counts.body_bytes;
  // A two-phase load commits later, by another request; a group commit's reply has no field for it.
  (reply.two_phase || reply.group_commit ? reply.write_ms : reply.commit_ms) =
      core::to_millis(decided - received);
  reply.load_ms = core::to_millis(decided - begun->received);
  reply.first_error = load->first_error();
  reply.error_lines = first_entries(load->error_log());
  const std::string error_log = load->error_log();
  load.reset();  // its memory is for the others now, however slow this client is to read the reply
  if (!outcome) {
    reply.status = "Fail";
    reply.message = fmt::format("[{}]{}", outcome.error().code, outcome.error().message);
    core::log_info("load_failed", "db", request.database, "table", request.table, "label", reply.label, "txn",
                   reply.txn_id, "why", reply.message, "rows", reply.total_rows);
  } else {
    core::log_debug(reply.two_phase ? "load_precommitted" : "load_visible", "db", request.database, "table",
                    request.table, "label", reply.label, "txn", reply.txn_id, "rows", reply.loaded_rows, "ms",
                    reply.load_ms);
  }
  if (end.peer_is_gone) {
    if (!exchange.body().is_broken()) exchange.abandon();
    co_return;
  }
  if (std::string lines =
          finish_error_log(error_log, counts.filtered_rows, counts.total_rows, store.limits().rejects);
      !lines.empty()) {
    reply.error_url =
        error_logs.url_of(exchange.request(), error_logs.keep(begun->load.txn, std::move(lines)));
  }
  (void)co_await exchange.reply(Response::json(format_load_reply(reply)));
}

}  // namespace penstock::net
