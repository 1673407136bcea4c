// ErrorLogs: the rows that loads left out, and why, kept for whoever opens a reply's ErrorURL.
//
// A load's log lies in memory, on the shard of the load; its name says which shard that is, and holds 128 random bits:
// no password is asked for, so nobody may guess one. A log is at most some 130 KiB (txn/decode/row_rejects); the oldest
// go when a shard's bytes_max is used up, all go with the process: they are for people, and no program relies on them.
//
// Journey:  run_load_session -> [ErrorLogs::keep] -> ErrorURL; Router -> ErrorLogHandler -> [ErrorLogs::read].
// Shard:    one object for all shards; keep, url_of and set_address act on the shard they are called on.
// Promise:  no more than bytes_max (with what an entry itself costs) a shard, and none older than age_max.
// Failure:  read gives nothing for a name that is not known, or not any more.
#pragma once

#include <array>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/shard/shard.hpp"
#include "net/http/message.hpp"
#include "txn/checkpoint/transaction.hpp"
#include "txn/decode/row_rejects.hpp"

namespace penstock::net {

class ErrorLogs {
 public:
  struct Limits {
    std::size_t bytes_max = 8 * core::kMiB;  // a shard
    core::Duration age_max = std::chrono::hours(48);
  };
  // `address`: host:port, where the client's own words for it cannot be used.
  ErrorLogs(core::ShardSet& shards, Limits limits, std::string address);
  ErrorLogs(const ErrorLogs&) = delete;
  ErrorLogs& operator=(const ErrorLogs&) = delete;

  // The address that was really taken, once that is known; for this shard.
  void set_address(std::string address) { here().address = std::move(address); }

  // Keeps a log here; returns its name.
  std::string keep(txn::TxnId txn, std::string text);
  // Any shard.
  core::Task<std::optional<std::string>> read(std::string name);
  // Where the client that sent `request` finds the log: at the host it named itself, if that is one.
  std::string url_of(const Request& request, std::string_view name);

  std::size_t bytes_here() { return here().bytes; }

 private:
  using Key = std::array<std::uint64_t, 2>;
  struct Entry {
    core::Instant kept_at;
    std::shared_ptr<const std::string> text;
  };
  struct Part {
    std::string address;
    std::map<Key, Entry> entries;
    std::deque<Key> order;  // oldest first
    std::size_t bytes = 0;
  };
  struct Name {
    core::ShardId shard;
    Key key;
  };
  static std::optional<Name> parse_name(std::string_view name, std::uint32_t shard_count);
  Part& here() { return parts_[core::current_shard().id().value]; }
  void forget_oldest(Part& part);
  void forget_old(Part& part, core::Instant now);
  core::Task<std::shared_ptr<const std::string>> find_here(Key key);

  core::ShardSet& shards_;
  const Limits limits_;
  std::vector<Part> parts_;
};

// What a load's log reads like: the kept lines, and how many rows it is about where not all of them are there.
std::string finish_error_log(std::string lines, std::uint64_t filtered_rows, std::uint64_t total_rows,
                             const txn::RowRejects::Limits& limits);

}  // namespace penstock::net
