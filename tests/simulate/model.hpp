// Model: what the clients of a simulated world have been told, and what must follow from it (the oracle).
//
// Each load has rows that name it, so that any scan shows whether all, some or none of them are there, and how often. Of
// each load the model knows the fates it may have; a request that is sent adds some, an answer takes some away. No fate
// left is a violation: the server has said, or shown, what cannot be (I1 to I4 and I8 of the design: what was
// acknowledged is there; all or nothing; once; an answer never changes; nothing goes back).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/units.hpp"

namespace penstock::simulate {

inline constexpr unsigned kAbsent = 1;
inline constexpr unsigned kPrepared = 2;
inline constexpr unsigned kVisible = 4;
std::string fates_text(unsigned fates);

// Whether its rows are there once it is visible: a TRUNCATE takes those of every load that began before it.
enum class Rows : std::uint8_t { There, Doubtful, Gone };

struct ModelLoad {
  int number = 0;  // its rows have keys number * 1000 + i
  int rows = 0;
  std::string table;
  std::string label;  // empty: none
  bool two_phase = false;
  bool group_commit = false;  // both modes promise what a plain load does
  unsigned fates = kAbsent;
  // Sent, and no answer: they may still happen. Forgotten when the process that had them has ended.
  int loads_open = 0;
  int loads_vanished =
      0;  // of these: sent by clients of which nothing is heard, so that they may begin at any time
  int commits_open = 0;
  int aborts_open = 0;
  std::uint64_t changes =
      0;  // requests sent and answers taken: an answer tells what was, if this has moved meanwhile
  Rows rows_are = Rows::There;
  std::uint64_t attempts = 0;
  core::Instant sent_at;  // the attempt that may have prepared it
  bool busy = false;      // a client is at work on it
  bool sent = false;
  std::optional<std::uint64_t> txn;
  std::set<std::uint64_t> ended_txns;  // of aborted attempts

  bool is_certain(unsigned fate) const { return fates == fate; }
};

class Model {
 public:
  ModelLoad& add(std::string table, int rows, bool two_phase, bool labelled);
  ModelLoad& at(int number) { return loads_.at(number); }
  std::map<int, ModelLoad>& loads() { return loads_; }
  const std::vector<std::string>& tables() const { return tables_; }
  const std::string& truncated_table() const { return tables_[2]; }  // now and then
  const std::string& dropped_table() const { return tables_[3]; }    // and made again under its name

  // The clock, and how long a prepared load waits for its client at most (0: for ever).
  std::function<core::Instant()> now = [] { return core::Instant{}; };
  core::Duration lease{};

  // A request is sent that may bring it to one of these. Gives what `changes` is to be for its answer to be news.
  std::uint64_t may_become(ModelLoad& load, unsigned fates) {
    end_lease(load);
    load.fates |= fates;
    return ++load.changes;
  }
  // An answer says that it is one of these; what is still under way may change it afterwards.
  void is_now(ModelLoad& load, unsigned fates, std::string_view said_by);
  // A request to load it is sent; it was answered Success, or said to have been before.
  void begin_attempt(ModelLoad& load);
  void end_attempt(ModelLoad& load, std::uint64_t truncations_before);
  std::uint64_t truncations(const std::string& table) {  // never equal to a later one if one is under way
    return truncates_[table].open > 0 ? UINT64_MAX : truncates_[table].sent;
  }
  // A TRUNCATE TABLE is sent. Its end: whether it was answered as done; without an answer there is no end.
  struct Truncate {
    std::string table;
    std::map<int, std::uint64_t> began_before;  // loads and their attempts
  };
  Truncate begin_truncate(const std::string& table);
  void end_truncate(const Truncate& truncate, bool done);
  // A DROP TABLE is sent, or was answered; a CREATE TABLE before which `drops_before` were sent was answered as done.
  void begin_drop() {
    ++drops_.open;
    ++drops_.sent;
    may_be_missing_ = true;
  }
  void end_drop() { --drops_.open; }
  std::uint64_t drops() const { return drops_.sent; }
  // For note_made: never equal to a later one if a DROP is under way, which may come after the CREATE that is sent now.
  std::uint64_t drops_done() const { return drops_.open > 0 ? UINT64_MAX : drops_.sent; }
  void note_made(std::uint64_t drops_before) {
    if (drops_.open == 0 && drops_.sent == drops_before) may_be_missing_ = false;
  }
  bool may_be_missing(const std::string& table) const { return may_be_missing_ && table == dropped_table(); }
  // The process has ended: nothing is under way any more.
  void forget_requests();

  // A scan of a table: begins with what must be in it, ends with its rows ("k\tv\ts\n" each), and says which loads it shows.
  struct Look {
    std::string table;
    std::set<int> must;  // loads
    std::set<int> gone;
  };
  Look begin_look(const std::string& table) const;
  std::set<int> end_look(const Look& look, std::string_view rows);
  // Nothing is under way, and this is what there is: who is not seen is not visible.
  void end_quiet_look(const Look& look, std::string_view rows);

  void violate(std::string what) {
    if (violation_.empty()) violation_ = std::move(what);
  }
  const std::string& violation() const { return violation_; }

  static std::string cell_v(std::int64_t key);  // \N for NULL
  static std::string cell_s(std::int64_t key);

 private:
  void end_lease(ModelLoad& load) const;
  std::set<int> read_rows(const std::string& table, std::string_view rows);
  struct Truncates {
    int open = 0;
    std::uint64_t sent = 0;
  };
  Truncates drops_;  // of dropped_table()
  bool may_be_missing_ = false;
  int next_ = 1;
  std::map<std::string, Truncates> truncates_;
  std::map<int, ModelLoad> loads_;
  std::vector<std::string> tables_ = {"t1", "t2", "t3", "t4"};
  std::string violation_;
};

}  // namespace penstock::simulate
