// LoadStream: one stream of loads over one connection: it begins a load, sends rows as they are due, ends it, waits for
// the answer, and begins the next.
//
// Rows go out in blocks, each a chunk of the body; a load that fits one block has a Content-Length instead. What the socket does not
// take waits in the block and is charged to the server: rows keep their intended times.
//
// Journey:  LoadRun -> [LoadStream] -> a socket that does not block; RowSource.
// Shard:    none; the run's thread.
// Promise:  every load that was answered is handed to the run, with the intended times of its rows.
// Failure:  a text; the run ends.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <vector>

#include "tools/bench/histogram.hpp"
#include "tools/bench/rate_schedule.hpp"
#include "tools/bench/reply_parser.hpp"
#include "tools/bench/row_source.hpp"
#include "tools/bench/run_wanted.hpp"

namespace penstock::tools {

Nanos now_nanos();  // monotonic

// Rows whose intended times lie evenly between two.
struct RowSpan {
  Nanos first = 0;
  Nanos last = 0;
  std::uint64_t rows = 0;
};

struct Load {
  std::uint32_t stream = 0;
  std::string label;
  std::string txn;
  std::vector<RowSpan> spans;
  std::uint64_t rows = 0;
  std::uint64_t bytes = 0;  // of rows
  Nanos began = 0;
  Nanos sent = 0;  // its last byte is with the kernel
  Nanos answered = 0;
};

// What all streams share.
struct StreamContext {
  const RunWanted& wanted;
  RowSource& source;
  std::uint64_t load_rows = 0;    // 0: endless
  std::uint64_t bytes_left = 0;   // of rows, to be taken yet
  std::uint64_t block_bytes = 0;  // of rows
  std::string labels;             // prefix; empty: none
  std::uint64_t sent_bytes = 0;   // of rows in blocks that the kernel has taken
  std::uint64_t wire_bytes = 0;   // all that it has taken
  Nanos end = 0;                  // rows that are due later are not sent; 0: no end by time
};

class LoadStream {
 public:
  enum class State : std::uint8_t { Idle, Sending, Waiting, Done };

  LoadStream(StreamContext& context, std::uint32_t index, RateSchedule schedule);
  ~LoadStream();
  LoadStream(const LoadStream&) = delete;
  LoadStream& operator=(const LoadStream&) = delete;

  std::expected<void, std::string> open_blocking();
  int socket() const { return socket_; }
  State state() const { return state_; }
  bool wants_writable() const { return is_blocked_; }
  const RateSchedule& schedule() const { return schedule_; }

  // Sends what is due; `blocks` at most. True: it could send more at once.
  std::expected<bool, std::string> pump(Nanos now, int blocks);
  // A checkpoint, or the run's end: rows that were due by `until` still go into the load, then it ends.
  void end_load(Nanos until);
  void hold(bool is_held) { is_held_ = is_held; }  // no new load begins
  void finish() { is_finishing_ = true; }
  // Reads; a load that was answered, if there is one now.
  std::expected<bool, std::string> receive(Load& answered);

  // When to pump again, if nothing else happens: 0 for never.
  Nanos next_wake(Nanos now) const;
  bool has_open_load() const { return state_ == State::Sending || state_ == State::Waiting; }
  bool is_done() const { return state_ == State::Done; }
  std::uint64_t rows_unsent(Nanos now) const;  // due and not taken
  Nanos waiting_since() const { return state_ == State::Waiting ? load_.sent : 0; }

 private:
  std::expected<bool, std::string> flush();
  std::expected<bool, std::string> send_filled();
  bool begin_load(Nanos now);
  bool fill(Nanos now);
  std::uint64_t rows_due(Nanos now) const;
  void note_rows(std::uint64_t rows, Nanos now);
  void spend(std::uint64_t bytes);
  std::string head(const std::string& length) const;

  StreamContext& context_;
  const std::uint32_t index_;
  RateSchedule schedule_;
  int socket_ = -1;
  State state_ = State::Idle;
  Load load_;
  std::uint64_t loads_ = 0;
  std::uint64_t rows_taken_ = 0;  // by this stream, of its schedule
  std::uint64_t rows_left_ = 0;   // of a load with a size
  std::string head_;
  std::string block_;
  std::string tail_;
  std::size_t written_ = 0;  // of the three
  std::uint64_t block_rows_bytes_ = 0;
  Nanos until_ = 0;            // of the load that is to end; 0: it goes on
  bool has_sent_all_ = false;  // the body's end is in tail_
  bool is_blocked_ = false;
  bool is_held_ = false;
  bool is_finishing_ = false;
  ReplyParser parser_;
  std::string reply_;
};

}  // namespace penstock::tools
