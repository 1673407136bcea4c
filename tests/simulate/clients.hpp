// Clients: what the outside world does to a simulated server, and how it takes the answers.
//
// Each client is a script that goes on until the server's life ends: plain, two-phase and group-commit loads in csv and
// json, retries under the same label, commits and aborts by TxnId and by label, twice and at once, scans, questions.
// Answers go to the Model, which knows what must follow.
#pragma once

#include <cstdint>
#include <string>

#include "tests/simulate/http_client.hpp"
#include "tests/simulate/journey.hpp"
#include "tests/simulate/model.hpp"

namespace penstock::simulate {

struct Tally {
  std::uint64_t answers = 0;
  std::uint64_t loads_visible = 0;
  std::uint64_t prepared = 0;
  std::uint64_t committed = 0;
  std::uint64_t aborted = 0;
  std::uint64_t in_doubt = 0;
  std::uint64_t scans = 0;
  std::uint64_t refused = 0;
};

class Clients {
 public:
  Clients(sim::SimWorld& world, sim::SimRandom& dice, Scripts& scripts, Model& model, Journey& journey,
          Tally& tally)
      : world_(world), dice_(dice), scripts_(scripts), model_(model), journey_(journey), tally_(tally) {}

  // A fault is under way for which loads may be refused.
  bool may_refuse = false;
  // Answers may be late: a disk that stalls, or a server that stops.
  bool may_be_late = false;
  // The last record of the commit log may be damaged: what it said may be forgotten.
  bool may_have_lost = false;
  // Unfinished rows alone may fill the memory of a shard: a load may fail for that.
  bool may_run_out = false;
  std::uint32_t unkind_percent = 20;
  // Nobody begins anything new: work() ends when what it has begun is answered.
  bool is_resting = false;
  int at_work = 0;

  // Makes the database and the tables, if they are not there.
  Script<> make_tables(bool* done);
  // Goes on until is_resting.
  Script<> work();
  // Nobody else is at work: every label is asked, every table read.
  Script<> settle(bool* done);
  // Every lease is over, and nobody else is at work: nothing is prepared any more.
  Script<> find_none_prepared(bool* done);
  // Reads every table.
  Script<> read_all(bool* done);
  // Brings everything to an end: what is in doubt is sent again, what is prepared is committed.
  Script<> finish(bool* done);

 private:
  enum class Done { Yes, No, Unknown };
  Script<> begin_new();
  Script<> burst();
  Script<> send_one(ModelLoad* load);
  Script<> send_load(ModelLoad* load, bool kind);
  Script<> operate(ModelLoad* load, bool commit, bool kind);
  Script<> abort_soon(ModelLoad* load);
  Script<> commit_again(ModelLoad* load);
  Script<> scan(std::string table, bool quiet);
  Script<> truncate(std::string table);
  Script<> drop_and_make();
  Script<Done> make_table(std::string table);
  Script<> have_table(std::string table);
  Script<> have_dropped_table();
  std::string draw_alter();
  Script<> ask_state(ModelLoad* load, bool quiet);
  Script<Done> statement(std::string text);
  void take_load_answer(ModelLoad& load, bool is_first, bool is_news, std::uint64_t truncations,
                        bool may_be_missing, const Answer& answer);
  std::string load_request(const ModelLoad& load);
  ModelLoad* pick(bool (*wanted)(const ModelLoad&));
  bool is_whole(const Answer& answer, std::string_view what);
  bool is_late(const Answer& answer, std::string_view what);
  template <class... Args>
  void note(fmt::format_string<Args...> text, Args&&... args) {
    journey_.note(world_.now().monotonic, text, std::forward<Args>(args)...);
  }

  sim::SimWorld& world_;
  sim::SimRandom& dice_;
  Scripts& scripts_;
  Model& model_;
  Journey& journey_;
  Tally& tally_;
};

}  // namespace penstock::simulate
