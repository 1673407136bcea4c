#include "net/query/scan_handler.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/log.hpp"
#include "net/query/rest_reply.hpp"
#include "net/query/row_chooser.hpp"
#include "txn/column/sort_key.hpp"

namespace penstock::net {
namespace {

constexpr std::size_t kFlushBytes = 64 * core::kKiB;
constexpr std::size_t kRowsBetweenYields = 4096;
constexpr std::size_t kOpenMax =
    64;  // each holds a block for as long as its reader takes: readers may be slow
constexpr std::size_t kSortedRowsBetweenYields = 1024;
constexpr core::Duration kSortedReplyTimeMax = std::chrono::hours(1);  // its rows take memory from others
constexpr const char* kEnding = "the server is shutting down";

struct Counted {
  explicit Counted(std::size_t& count) : count_(count) { ++count_; }
  ~Counted() { --count_; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
  std::size_t& count_;
};

Response problem(int status, std::string_view text) {
  Response response = rest_error(status, reason_phrase(status), text);
  response.status = status;
  return response;
}

Response unreadable(const core::Error& error) {
  return problem(500, fmt::format("the rows cannot be read: {}", error.to_string()));
}

void log_failure(const txn::Scan& scan, const core::Error& error) {
  core::log_error("scan_failed", "table", scan.table().name, "place", scan.error_place(), "error",
                  error.to_string());
}

Response head_of(const RowWriter& writer) {
  return {.content_type = std::string(writer.content_type()), .body = {}};
}

std::vector<const txn::ColumnView*> views_of(const txn::Block& block, const std::vector<txn::ColumnId>& ids) {
  std::vector<const txn::ColumnView*> views;
  for (const txn::ColumnId id : ids) views.push_back(block.find(id));
  return views;
}

}  // namespace

class ScanHandler::SortMemory {
 public:
  explicit SortMemory(ScanHandler& handler) : handler_(handler) {}
  SortMemory(const SortMemory&) = delete;
  SortMemory& operator=(const SortMemory&) = delete;
  ~SortMemory() { handler_.sort_memory_ -= taken_; }

  void note(std::size_t bytes) {
    handler_.sort_memory_ += bytes - taken_;
    taken_ = bytes;
  }
  bool fits() const { return handler_.sort_memory_ <= handler_.sort_memory_max_; }
  std::size_t of_others() const { return handler_.sort_memory_ - taken_; }
  bool is_too_much_alone() const { return taken_ > handler_.sort_memory_max_; }

 private:
  ScanHandler& handler_;
  std::size_t taken_ = 0;
};

core::Task<void> ScanHandler::handle(Exchange& exchange) {
  const auto user = co_await authenticator_.check(exchange.request());
  if (!user) {
    Response response = rest_unauthorized(user.error());
    response.status = 401;
    response.headers.emplace_back("WWW-Authenticate", "Basic realm=\"penstock\"");
    (void)co_await exchange.reply(std::move(response));
    co_return;
  }
  if (!user->may(Act::Scan, exchange.parameter("db"))) {
    (void)co_await exchange.reply(problem(403, access_denied(Act::Scan)));
    co_return;
  }
  if (open_ == kOpenMax) {
    (void)co_await exchange.reply(
        problem(503, fmt::format("{} scans are open on this shard: try again soon", open_)));
    co_return;
  }
  const Counted counted(open_);
  auto scan =
      co_await store_.scan(std::string(exchange.parameter("db")), std::string(exchange.parameter("table")));
  if (!scan) {
    (void)co_await exchange.reply(problem(404, scan.error()));
    co_return;
  }
  const auto wanted =
      parse_scan_request(exchange.request(), *(*scan)->table().schema, exchange.shard().now().wall_micros);
  if (!wanted) {
    (void)co_await exchange.reply(problem(400, wanted.error()));
  } else if (exchange.request().method() == Method::Head) {
    (void)co_await exchange.reply(
        {.content_type = std::string(RowWriter::content_type(wanted->format)), .body = {}});
  } else if (wanted->count_only) {
    (void)co_await exchange.reply(co_await count(exchange, **scan, *wanted));
  } else if (wanted->order_by.empty()) {
    co_await stream(exchange, **scan, *wanted);
  } else {
    co_await stream_sorted(exchange, **scan, *wanted);
  }
  co_await store_.close_scan(**scan);
}

core::Task<Response> ScanHandler::count(Exchange& exchange, txn::Scan& scan, const ScanRequest& wanted) {
  std::uint64_t rows = wanted.where == nullptr ? scan.rows() : 0;
  RowChooser chooser(wanted.where.get(), *scan.table().schema);
  while (wanted.where != nullptr) {
    auto block = co_await scan.next(chooser.needed());
    if (!block) {
      log_failure(scan, block.error());
      co_return unreadable(block.error());
    }
    if (!*block) break;
    if (exchange.is_cancelled()) co_return problem(503, kEnding);
    if (auto chosen = co_await chooser.choose(exchange.shard(), **block); !chosen)
      co_return problem(400, chosen.error());
    rows += chooser.count();
  }
  co_return Response{.content_type = std::string(RowWriter::content_type(wanted.format)),
                     .body = RowWriter::count_row(wanted.format, rows)};
}

namespace {

// Sends text of a reply that begins with the first of it: until then the answer can still be an error.
core::Task<bool> send_text(Exchange& exchange, const RowWriter& writer, std::string& text, bool& has_begun) {
  if (!has_begun) {
    has_begun = true;
    if (auto begun = co_await exchange.begin_reply(head_of(writer)); !begun) co_return false;
  }
  const auto sent = co_await exchange.write(text);
  text.clear();
  co_return sent.has_value();
}

// Behind the first byte a reply can only be cut off: it does not end, and the client sees that.
core::Task<void> answer_failure(Exchange& exchange, const txn::Scan& scan, Response response,
                                bool has_begun) {
  if (!has_begun) {
    (void)co_await exchange.reply(std::move(response));
    co_return;
  }
  core::log_warn("scan_cut_off", "table", scan.table().name, "why", response.body);
}

}  // namespace

core::Task<void> ScanHandler::stream(Exchange& exchange, txn::Scan& scan, const ScanRequest& wanted) {
  const txn::TableSchema& schema = *scan.table().schema;
  const RowWriter writer(wanted.format, schema, wanted.columns);
  std::vector<txn::ColumnId> ids;
  for (const std::size_t index : wanted.columns) ids.push_back(schema.columns[index].id);
  RowChooser chooser(wanted.where.get(), schema);
  std::vector<txn::ColumnId> needed = ids;
  needed.insert(needed.end(), chooser.needed().begin(), chooser.needed().end());
  bool has_begun = false;
  std::uint64_t left = wanted.limit;
  std::string text = writer.header();
  while (left > 0) {
    auto block = co_await scan.next(needed);
    if (!block) {
      log_failure(scan, block.error());
      co_return co_await answer_failure(exchange, scan, unreadable(block.error()), has_begun);
    }
    if (!*block) break;
    if (exchange.is_cancelled()) co_return;
    if (auto chosen = co_await chooser.choose(exchange.shard(), **block); !chosen) {
      co_return co_await answer_failure(exchange, scan, problem(400, chosen.error()), has_begun);
    }
    const auto views = views_of(**block, ids);
    const std::uint64_t rows = std::min<std::uint64_t>(chooser.count(), left);
    left -= rows;
    for (std::uint64_t row = 0; row < rows; ++row) {
      for (std::size_t column = 0; column < views.size(); ++column) {
        writer.append_cell(text, views[column], column, chooser.row(row));
        if (text.size() >= kFlushBytes && !co_await send_text(exchange, writer, text, has_begun)) co_return;
      }
      writer.end_row(text);
      if (row % kRowsBetweenYields == kRowsBetweenYields - 1) {
        co_await exchange.shard().yield();
      }
    }
  }
  if (co_await send_text(exchange, writer, text, has_begun)) (void)co_await exchange.end_reply();
}

core::Task<std::optional<Response>> ScanHandler::gather(Exchange& exchange, txn::Scan& scan,
                                                        const ScanRequest& wanted, const RowWriter& writer,
                                                        txn::RowSorter& sorter, SortMemory& memory) {
  const txn::TableSchema& schema = *scan.table().schema;
  std::vector<txn::ColumnId> row_ids;
  std::vector<txn::ColumnId> key_ids;
  for (const std::size_t index : wanted.columns) row_ids.push_back(schema.columns[index].id);
  for (const ScanRequest::Order& order : wanted.order_by) key_ids.push_back(schema.columns[order.column].id);
  std::vector<txn::ColumnId> all_ids = row_ids;
  all_ids.insert(all_ids.end(), key_ids.begin(), key_ids.end());
  RowChooser chooser(wanted.where.get(), schema);
  all_ids.insert(all_ids.end(), chooser.needed().begin(), chooser.needed().end());

  std::string key;
  std::string text;
  for (;;) {
    auto block = co_await scan.next(all_ids);
    if (!block) {
      log_failure(scan, block.error());
      co_return unreadable(block.error());
    }
    if (!*block) break;
    if (exchange.is_cancelled()) co_return problem(503, kEnding);
    if (auto chosen = co_await chooser.choose(exchange.shard(), **block); !chosen)
      co_return problem(400, chosen.error());
    const auto row_views = views_of(**block, row_ids);
    const auto key_views = views_of(**block, key_ids);
    for (std::size_t at = 0; at < chooser.count(); ++at) {
      const std::uint32_t row = chooser.row(at);
      key.clear();
      text.clear();
      for (std::size_t i = 0; i < key_views.size(); ++i) {
        txn::append_sort_key(key, key_views[i], row, wanted.order_by[i].descending);
      }
      writer.append_row(text, row_views, row);
      sorter.add(key, text);
      memory.note(sorter.bytes());
      if (!memory.fits() && !memory.is_too_much_alone()) {
        co_return problem(503, fmt::format("order_by: other scans on this shard hold {} MiB of the {} MiB of "
                                           "limits.sort_memory_mib: try again soon",
                                           memory.of_others() / core::kMiB, sort_memory_max_ / core::kMiB));
      }
      if (!memory.fits()) {
        co_return problem(
            400, fmt::format("order_by: the rows that are being sorted on this shard take more than "
                             "limits.sort_memory_mib = {} (MiB): ask for fewer columns, or for the first "
                             "rows with a limit of at most {}, or raise the limit",
                             sort_memory_max_ / core::kMiB, txn::RowSorter::kSmallLimit));
      }
      if (at % kSortedRowsBetweenYields == kSortedRowsBetweenYields - 1) co_await exchange.shard().yield();
    }
  }
  sorter.finish();
  co_return std::nullopt;
}

core::Task<void> ScanHandler::stream_sorted(Exchange& exchange, txn::Scan& scan, const ScanRequest& wanted) {
  const RowWriter writer(wanted.format, *scan.table().schema, wanted.columns);
  txn::RowSorter sorter(wanted.limit);
  SortMemory memory(*this);
  if (auto failed = co_await gather(exchange, scan, wanted, writer, sorter, memory)) {
    (void)co_await exchange.reply(std::move(*failed));
    co_return;
  }
  if (auto begun = co_await exchange.begin_reply(head_of(writer)); !begun) co_return;
  const core::Instant deadline = exchange.shard().now().monotonic + kSortedReplyTimeMax;
  std::string text = writer.header();
  std::size_t rows = 0;
  while (const auto row = sorter.next()) {
    text += *row;
    if (text.size() >= kFlushBytes) {
      memory.note(sorter.bytes());
      if (auto sent = co_await exchange.write(text); !sent) co_return;
      if (exchange.shard().now().monotonic > deadline) {
        core::log_warn("scan_cut_off", "table", scan.table().name, "why",
                       "its sorted rows were not read within an hour");
        co_return;
      }
      text.clear();
    } else if (++rows % kSortedRowsBetweenYields == 0) {
      co_await exchange.shard().yield();
    }
  }
  if (auto sent = co_await exchange.write(text); !sent) co_return;
  (void)co_await exchange.end_reply();
}

}  // namespace penstock::net
