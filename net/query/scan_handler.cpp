#include "net/query/scan_handler.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "core/base/log.hpp"
#include "net/query/rest_reply.hpp"
#include "txn/column/value_format.hpp"
#include "txn/decode/column_mapping.hpp"

namespace penstock::net {
namespace {

constexpr std::size_t kFlushBytes = 64 * core::kKiB;
constexpr std::size_t kRowsBetweenYields = 4096;
constexpr std::size_t kOpenMax =
    64;  // each holds a block for as long as its reader takes: readers may be slow

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

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

}  // namespace

std::expected<ScanHandler::Wanted, std::string> ScanHandler::parse(const Request& request,
                                                                   const txn::TableSchema& schema) {
  Wanted wanted;
  for (const std::string_view name : {"where", "order_by"}) {
    const auto value = request.query_value(name);
    if (value && !value->empty()) {
      return std::unexpected(fmt::format("{}: not supported yet by this version of penstock", name));
    }
  }
  if (const auto format = request.query_value("format"); format && !format->empty() && *format != "tsv") {
    return std::unexpected(fmt::format("format={}: this version of penstock gives tsv", *format));
  }
  if (const auto limit = request.query_value("limit")) {
    const auto [end, error] = std::from_chars(limit->data(), limit->data() + limit->size(), wanted.limit);
    if (error != std::errc() || end != limit->data() + limit->size()) {
      return std::unexpected(fmt::format("limit={}: not a number of rows", *limit));
    }
  }
  const std::string columns = request.query_value("columns").value_or("");
  if (trimmed(columns).empty()) {
    for (std::size_t i = 0; i < schema.columns.size(); ++i) wanted.columns.push_back(i);
    return wanted;
  }
  if (equals_ignoring_case(trimmed(columns), "count(*)")) {
    wanted.count_only = true;
    return wanted;
  }
  for (std::size_t at = 0; at <= columns.size();) {
    const std::size_t comma = std::min(columns.find(',', at), columns.size());
    std::string_view name = trimmed(std::string_view(columns).substr(at, comma - at));
    if (name.size() >= 2 && name.front() == '`' && name.back() == '`') name = name.substr(1, name.size() - 2);
    const auto index = schema.index_of(name);
    if (!index) return std::unexpected(fmt::format("columns: there is no column '{}' in this table", name));
    wanted.columns.push_back(*index);
    at = comma + 1;
  }
  return wanted;
}

core::Task<void> ScanHandler::handle(Exchange& exchange) {
  const auto user = co_await authenticator_.check(exchange.request());
  if (!user) {
    Response response = rest_unauthorized(user.error());
    response.status = 401;
    response.headers.emplace_back("WWW-Authenticate", "Basic realm=\"penstock\"");
    (void)co_await exchange.reply(std::move(response));
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
  const auto wanted = parse(exchange.request(), *(*scan)->table().schema);
  if (!wanted) {
    (void)co_await exchange.reply(problem(400, wanted.error()));
  } else if (wanted->count_only) {
    (void)co_await exchange.reply(Response::text(fmt::format("{}\n", (*scan)->rows())));
  } else {
    co_await stream(exchange, **scan, *wanted);
  }
  co_await store_.close_scan(**scan);
}

core::Task<void> ScanHandler::stream(Exchange& exchange, txn::Scan& scan, const Wanted& wanted) {
  const txn::TableSchema& schema = *scan.table().schema;
  std::vector<txn::ColumnId> ids;
  for (const std::size_t index : wanted.columns) ids.push_back(schema.columns[index].id);
  if (auto begun = co_await exchange.begin_reply(
          {.content_type = "text/tab-separated-values; charset=utf-8", .body = {}});
      !begun) {
    co_return;
  }
  std::uint64_t left = exchange.request().method() == Method::Head ? 0 : wanted.limit;
  std::string text;
  while (left > 0) {
    auto block = co_await scan.next(ids);
    if (!block) {
      core::log_error("scan_failed", "table", scan.table().name, "place", scan.error_place(), "error",
                      block.error().to_string());
      co_return;  // not ended: the client sees that the reply is cut off
    }
    if (!*block) break;
    std::vector<const txn::ColumnView*> views;
    for (const txn::ColumnId id : ids) views.push_back((*block)->find(id));
    const std::uint64_t rows = std::min<std::uint64_t>((*block)->rows(), left);
    left -= rows;
    for (std::uint64_t row = 0; row < rows; ++row) {
      for (std::size_t c = 0; c < views.size(); ++c) {
        if (c > 0) text += '\t';
        if (views[c] == nullptr) {
          text += "\\N";  // a column younger than the block
        } else {
          txn::append_cell(text, *views[c], row);
        }
        if (text.size() >= kFlushBytes) {  // a row may ask for one large cell a thousand times
          if (auto sent = co_await exchange.write(text); !sent) co_return;
          text.clear();
        }
      }
      text += '\n';
      if (row % kRowsBetweenYields == kRowsBetweenYields - 1) {
        co_await exchange.shard().yield();
      }
    }
  }
  if (!text.empty()) {
    if (auto sent = co_await exchange.write(text); !sent) co_return;
  }
  (void)co_await exchange.end_reply();
}

}  // namespace penstock::net
