#include "net/load/error_logs.hpp"

#include <fmt/format.h>

#include <charconv>

#include "net/http/host_port.hpp"

namespace penstock::net {
namespace {

constexpr std::string_view kShardWord = "__shard_";
constexpr std::string_view kFileWord = "/error_log_insert_stmt_";
constexpr std::string_view kTooMuch = "TOO MUCH ERROR!";
constexpr std::size_t kNameBytesMax = 128;
constexpr std::size_t kEntryBytes = 256;  // what an entry costs beside its text

// Takes a number off the front of `text`.
template <class Number>
bool take_number(std::string_view& text, Number& out, int base) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out, base);
  if (error != std::errc() || end == text.data()) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

bool take_word(std::string_view& text, std::string_view word) {
  if (!text.starts_with(word)) return false;
  text.remove_prefix(word.size());
  return true;
}

}  // namespace

ErrorLogs::ErrorLogs(core::ShardSet& shards, Limits limits, std::string address)
    : shards_(shards), limits_(limits), parts_(shards.count()) {
  for (Part& part : parts_) part.address = address;
}

void ErrorLogs::forget_oldest(Part& part) {
  const auto found = part.entries.find(part.order.front());
  part.order.pop_front();
  part.bytes -= found->second.text->size() + kEntryBytes;
  part.entries.erase(found);
}

void ErrorLogs::forget_old(Part& part, core::Instant now) {
  while (!part.order.empty() && now - part.entries.at(part.order.front()).kept_at >= limits_.age_max) {
    forget_oldest(part);
  }
}

std::string ErrorLogs::keep(txn::TxnId txn, std::string text) {
  core::Shard& shard = core::current_shard();
  Part& part = here();
  forget_old(part, shard.now().monotonic);
  Key key{shard.kernel().entropy(), shard.kernel().entropy()};
  while (part.entries.contains(key)) key[1] = shard.kernel().entropy();
  const std::size_t bytes = text.size() + kEntryBytes;
  while (!part.order.empty() && part.bytes + bytes > limits_.bytes_max) forget_oldest(part);
  if (bytes <= limits_.bytes_max) {
    part.entries.emplace(key,
                         Entry{shard.now().monotonic, std::make_shared<const std::string>(std::move(text))});
    part.order.push_back(key);
    part.bytes += bytes;
  }
  return fmt::format("{}{}{}{}_{:016x}_{:016x}", kShardWord, shard.id().value, kFileWord, txn.value, key[0],
                     key[1]);
}

std::optional<ErrorLogs::Name> ErrorLogs::parse_name(std::string_view name, std::uint32_t shard_count) {
  std::uint32_t shard = 0;
  std::uint64_t txn = 0;
  Name out;
  if (name.size() > kNameBytesMax || !take_word(name, kShardWord) || !take_number(name, shard, 10) ||
      !take_word(name, kFileWord) || !take_number(name, txn, 10)) {
    return std::nullopt;
  }
  for (std::uint64_t& half : out.key) {
    if (!take_word(name, "_") || !take_number(name, half, 16)) return std::nullopt;
  }
  if (!name.empty() || shard >= shard_count) return std::nullopt;
  out.shard = core::ShardId(shard);
  return out;
}

core::Task<std::shared_ptr<const std::string>> ErrorLogs::find_here(Key key) {
  Part& part = here();
  forget_old(part, core::current_shard().now().monotonic);
  const auto found = part.entries.find(key);
  if (found == part.entries.end()) co_return nullptr;
  co_return found->second.text;
}

core::Task<std::optional<std::string>> ErrorLogs::read(std::string name) {
  const auto parsed = parse_name(name, shards_.count());
  if (!parsed) co_return std::nullopt;
  const auto text =
      co_await core::call_on(parsed->shard, [this, key = parsed->key] { return find_here(key); });
  if (text == nullptr) co_return std::nullopt;
  co_return *text;
}

std::string ErrorLogs::url_of(const Request& request, std::string_view name) {
  const auto host = parse_host_port(request.header("host").value_or(""));
  return fmt::format("http://{}/api/_load_error_log?file={}", host ? host->to_text() : here().address, name);
}

std::string finish_error_log(std::string lines, std::uint64_t filtered_rows, std::uint64_t total_rows,
                             const txn::RowRejects::Limits& limits) {
  if (lines.empty()) return lines;
  const bool is_full = filtered_rows >= limits.rows_max && lines.find(kTooMuch) != std::string::npos;
  const bool is_too_long = !is_full && lines.size() >= limits.bytes_max;
  if (is_too_long) lines += "error log is too long\n";
  if (is_too_long || filtered_rows > limits.rows_max) {
    lines += fmt::format("Summary: {} of {} rows were filtered; the first of them are above.\n",
                         filtered_rows, total_rows);
  }
  return lines;
}

}  // namespace penstock::net
