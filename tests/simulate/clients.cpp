#include "tests/simulate/clients.hpp"

#include <algorithm>
#include <charconv>
#include <vector>

namespace penstock::simulate {
namespace {

constexpr std::string_view kHead = "Host: penstock.example:8040\r\nAuthorization: Basic cm9vdDo=\r\n";

std::string short_of(std::string_view text) {
  std::string out(text.substr(0, 160));
  std::ranges::replace(out, '\n', ' ');
  return out;
}

std::string put_2pc(std::string_view headers) {
  return fmt::format("PUT /api/db/_stream_load_2pc HTTP/1.1\r\n{}{}\r\n", kHead, headers);
}
std::string get(std::string_view target) {
  return fmt::format("GET {} HTTP/1.1\r\n{}Connection: close\r\n\r\n", target, kHead);
}

// Texts of refusals that say something about the load, by what they hold.
bool says(const std::string& text, std::string_view what) { return text.find(what) != std::string::npos; }

std::optional<std::uint64_t> number_in(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end == text.data()) return std::nullopt;
  return number;
}

}  // namespace

// Every so often the whole body at once, in chunks, or as the dice cut it.
std::string Clients::load_request(const ModelLoad& load) {
  const bool is_json = dice_.percent(40);
  std::string body;
  for (int i = 0; i < load.rows; ++i) {
    const std::int64_t key = static_cast<std::int64_t>(load.number) * 1000 + i;
    const std::string v = Model::cell_v(key);
    const std::string s = Model::cell_s(key);
    if (is_json) {
      body += fmt::format(R"({{"k":{},"v":{},"s":{}}})", key, v == "\\N" ? "null" : v,
                          s == "\\N" ? "null" : "\"" + s + "\"");
      body += '\n';
    } else {
      body += fmt::format("{}\t{}\t{}\n", key, v, s);
    }
  }
  if (!body.empty() && dice_.coin()) body.pop_back();
  std::string head =
      fmt::format("PUT /api/db/{}/_stream_load HTTP/1.1\r\n{}Expect: 100-continue\r\n", load.table, kHead);
  if (!load.label.empty()) {
    head += fmt::format("label: {}\r\n", load.label);
  } else if (load.group_commit) {
    head += fmt::format("group_commit: {}\r\n", dice_.coin() ? "sync_mode" : "async_mode");
  }
  if (load.two_phase) head += "two_phase_commit: true\r\n";
  if (is_json) head += "format: json\r\nread_json_by_line: true\r\n";
  if (!is_json || dice_.percent(30))
    head += "columns: k,v,s\r\n";  // the others follow what ALTER does to the table
  if (dice_.coin()) return head + fmt::format("Content-Length: {}\r\n\r\n", body.size()) + body;
  head += "Transfer-Encoding: chunked\r\n\r\n";
  for (std::size_t at = 0; at < body.size();) {
    const std::size_t piece = std::min<std::size_t>(dice_.between(1, body.size()), body.size() - at);
    head += fmt::format("{:x}\r\n", piece) + body.substr(at, piece) + "\r\n";
    at += piece;
  }
  return head + "0\r\n\r\n";
}

// Of a request that was sent in one piece, and whose answer was waited for.
bool Clients::is_whole(const Answer& answer, std::string_view what) {
  if (answer.got == Answer::Got::Cut && !may_refuse) {
    model_.violate(fmt::format("the server cut the connection instead of answering: {}", what));
  }
  return !is_late(answer, what) && answer.is_whole();
}

bool Clients::is_late(const Answer& answer, std::string_view what) {
  if (answer.got == Answer::Got::Late && !may_be_late) {
    model_.violate(fmt::format("no answer within minutes: {}", what));
  }
  return answer.got == Answer::Got::Late;
}

ModelLoad* Clients::pick(bool (*wanted)(const ModelLoad&)) {
  std::vector<ModelLoad*> found;
  for (auto& [number, load] : model_.loads()) {
    if (!load.busy && wanted(load)) found.push_back(&load);
  }
  return found.empty() ? nullptr : found[dice_.below(found.size())];
}

Script<Clients::Done> Clients::statement(std::string text) {
  const std::string body = fmt::format(R"({{"stmt": "{}"}})", text);
  const std::string request =
      fmt::format("POST /api/query/default_cluster/db HTTP/1.1\r\n{}Content-Length: {}\r\n\r\n{}", kHead,
                  body.size(), body);
  const Answer answer = co_await ask(&world_, &scripts_, &dice_, request, Manner{});
  note("{} -> {}", text, answer.is_whole() ? short_of(answer.body) : "no answer");
  if (!is_whole(answer, text) && answer.got != Answer::Got::Refused) co_return Done::Unknown;
  co_return answer.is_whole() && field_of(answer.body, "code") == "0" ? Done::Yes : Done::No;
}

// Columns that no load fills come, change and go; k, v and s stay as they are.
std::string Clients::draw_alter() {
  const std::string table = model_.tables()[dice_.below(model_.tables().size())];
  const std::uint64_t one = dice_.below(4);
  switch (dice_.below(5)) {
    case 0:
      return fmt::format("ALTER TABLE {} DROP COLUMN e{}", table, one);
    case 1:
      return fmt::format("ALTER TABLE {} RENAME COLUMN e{} e{}", table, one, dice_.below(4));
    case 2:
      return fmt::format("ALTER TABLE {} MODIFY COLUMN e{} BIGINT NULL", table, one);
    case 3:
      return fmt::format("ALTER TABLE {} ADD COLUMN e{} INT NOT NULL DEFAULT '{}' AFTER k", table, one, one);
    default:
      return fmt::format("ALTER TABLE {} ADD COLUMN e{} INT NULL", table, one);
  }
}

Script<> Clients::truncate(std::string table) {
  const Model::Truncate truncate = model_.begin_truncate(table);
  const Done done = co_await statement("TRUNCATE TABLE " + table);
  if (done != Done::Unknown) model_.end_truncate(truncate, done == Done::Yes);
}

Script<Clients::Done> Clients::make_table(std::string table) {
  const std::uint64_t drops = model_.drops_done();
  const Done done = co_await statement(fmt::format(
      "CREATE TABLE IF NOT EXISTS {} (k BIGINT NOT NULL, v INT NULL, s VARCHAR(1000) NULL) DUPLICATE "
      "KEY(k) DISTRIBUTED BY RANDOM BUCKETS 3",
      table));
  if (done == Done::Yes && table == model_.dropped_table()) model_.note_made(drops);
  co_return done;
}

// What a DROP takes is what a TRUNCATE takes: the rows of every load that began before it.
Script<> Clients::drop_and_make() {
  const std::string table = model_.dropped_table();
  if (!model_.may_be_missing(table) || dice_.coin()) {
    const Model::Truncate truncate = model_.begin_truncate(table);
    model_.begin_drop();
    const Done done = co_await statement("DROP TABLE IF EXISTS " + table);
    if (done != Done::Unknown) {
      model_.end_truncate(truncate, done == Done::Yes);
      model_.end_drop();
    }
  }
  (void)co_await scripts_.pause(core::Duration(static_cast<std::int64_t>(dice_.below(500'000))));
  (void)co_await make_table(table);
}

Script<> Clients::have_table(std::string table) {
  while (co_await make_table(table) != Done::Yes)
    (void)co_await scripts_.pause(std::chrono::milliseconds(50));
}

Script<> Clients::have_dropped_table() {
  if (model_.may_be_missing(model_.dropped_table())) co_await have_table(model_.dropped_table());
}

Script<> Clients::make_tables(bool* done) {
  while (co_await statement("CREATE DATABASE IF NOT EXISTS db") != Done::Yes) {
    (void)co_await scripts_.pause(std::chrono::milliseconds(50));
  }
  for (const std::string& table : model_.tables()) co_await have_table(table);
  *done = true;
}

// `is_first`: the label was never sent before. `is_news`: nothing else was asked of the load meanwhile.
void Clients::take_load_answer(ModelLoad& load, bool is_first, bool is_news, std::uint64_t truncations,
                               bool may_be_missing, const Answer& answer) {
  const std::string status = field_of(answer.body, "Status");
  const std::string message = field_of(answer.body, "Message");
  if (answer.status != 200) {
    model_.violate(fmt::format("a load was answered with HTTP {}: {}", answer.status, short_of(answer.body)));
  } else if (status == "Success") {
    load.loads_open =
        load.loads_vanished;  // an earlier attempt has ended, or was not begun: its label was free
    model_.end_attempt(load, truncations);
    load.txn = number_in(field_of(answer.body, "TxnId"));
    if (!load.txn) model_.violate("a load was answered Success without a TxnId");
    if (load.txn && load.ended_txns.contains(*load.txn)) {
      model_.violate(fmt::format("TxnId {} was given out twice", *load.txn));
    }
    // (An empty body with a length is never a group commit, as in Doris.)
    if (load.rows > 0 && load.group_commit != (field_of(answer.body, "GroupCommit") == "true")) {
      model_.violate(fmt::format("load {}: the answer's GroupCommit is not what was asked for", load.number));
    }
    if (!load.two_phase) {
      ++tally_.loads_visible;
      model_.is_now(load, kVisible, "Success");
    } else if (is_news) {
      ++tally_.prepared;
      model_.is_now(load, kPrepared, "Success");
    } else if (!load.is_certain(kVisible)) {
      (void)model_.may_become(load, kAbsent | kPrepared | kVisible);
    }
  } else if (status == "Label Already Exists") {
    const std::string existing = field_of(answer.body, "ExistingJobStatus");
    if (load.label.empty()) model_.violate("a load without a label was answered Label Already Exists");
    if (is_first)
      model_.violate(fmt::format("label '{}' is new, and exists already: {}", load.label, existing));
    if (existing == "FINISHED") {
      model_.is_now(load, kVisible, "Label Already Exists, FINISHED");
    } else if (existing == "PRECOMMITTED") {
      const std::size_t at = message.find("relate to txn [");
      if (at != std::string::npos) load.txn = number_in(std::string_view(message).substr(at + 15));
      if (is_news) {
        load.loads_open = load.loads_vanished;
        model_.is_now(load, kPrepared, "Label Already Exists, PRECOMMITTED");
      }
    } else if (existing == "RUNNING") {
      if (load.loads_open == 0) {
        model_.violate(fmt::format("label '{}' is said to be RUNNING, and nobody sends it", load.label));
      }
    } else {
      model_.violate(fmt::format("label '{}': ExistingJobStatus is '{}'", load.label, existing));
    }
  } else if (status == "Fail") {
    ++tally_.refused;
    // It says nothing of an earlier attempt.
    if (is_first) model_.is_now(load, kAbsent, "Fail: " + message);
    const bool is_missing = says(message, "unknown table") && may_be_missing;
    const bool is_out = says(message, "MEM_LIMIT_EXCEEDED") && may_run_out;
    if (!may_refuse && !is_missing && !is_out && !says(message, "aborted") &&
        !says(message, "shutting down")) {
      model_.violate(fmt::format("load {} failed for no reason: {}", load.number, message));
    }
  } else {
    model_.violate(fmt::format("a load was answered '{}'", short_of(answer.body)));
  }
}

Script<> Clients::send_load(ModelLoad* load, bool kind) {
  const bool is_first = !load->sent;
  load->sent = true;
  load->txn.reset();  // it may come to have another
  const std::string request = load_request(*load);
  const Manner manner = kind ? Manner{} : draw_manner(dice_, request.size(), unkind_percent);
  const bool whole_body = !manner.end_at || *manner.end_at >= request.size();
  model_.begin_attempt(*load);
  ++load->loads_open;
  const std::uint64_t truncations = model_.truncations(load->table);
  const bool was_missing = model_.may_be_missing(load->table);
  const std::uint64_t drops = model_.drops();
  // A commit by label that is still under way may meet this attempt.
  const unsigned prepared = kPrepared | (load->commits_open > 0 ? kVisible : 0);
  const std::uint64_t news = model_.may_become(*load, load->two_phase ? prepared : kVisible);
  note("load {} '{}' -> {}: {} rows, {} bytes{}", load->number, load->label, load->table, load->rows,
       request.size(),
       manner.reset_at || manner.end_at || manner.vanishes_at || manner.leaves ? ", to be cut" : "");
  const Answer answer = co_await ask(&world_, &scripts_, &dice_, request, manner);
  if (!answer.is_whole()) {
    ++tally_.in_doubt;
    note("load {}: no answer{}", load->number, manner.vanishes_at ? ", its client has vanished" : "");
    if (manner.vanishes_at && answer.got == Answer::Got::Cut) ++load->loads_vanished;
    if (answer.got == Answer::Got::Refused) {
      --load->loads_open;
      if (is_first) model_.is_now(*load, kAbsent, "that nobody listened");
    }
    (void)is_late(answer, fmt::format("load {}", load->number));
    co_return;
  }
  ++tally_.answers;
  const std::string status = field_of(answer.body, "Status");
  note("load {} <- {} {} {}", load->number, status, field_of(answer.body, "ExistingJobStatus"),
       short_of(field_of(answer.body, "Message")));
  if (load->loads_open > 0) --load->loads_open;
  if (!whole_body && status == "Success") {
    model_.violate(fmt::format("load {} ended before its body did, and was answered Success", load->number));
  } else if (!whole_body && status == "Fail") {
    if (is_first) model_.is_now(*load, kAbsent, "Fail");
  } else {
    const bool is_news = load->changes == news;
    ++load->changes;
    take_load_answer(*load, is_first, is_news, truncations,
                     was_missing || (model_.drops() != drops && load->table == model_.dropped_table()),
                     answer);
  }
}

Script<> Clients::abort_soon(ModelLoad* load) {
  (void)co_await scripts_.pause(core::Duration(static_cast<std::int64_t>(dice_.below(1'000'000))));
  co_await operate(load, false, false);
}

Script<> Clients::operate(ModelLoad* load, bool commit, bool kind) {
  const bool by_label = !load->txn || dice_.percent(40);
  const std::string request =
      put_2pc(fmt::format("{}\r\ntxn_operation: {}\r\n{}",
                          by_label ? "label: " + load->label : fmt::format("txn_id: {}", *load->txn),
                          commit ? "commit" : "abort", dice_.coin() ? "Content-Length: 0\r\n" : ""));
  const std::optional<std::uint64_t> txn = load->txn;
  int& open = commit ? load->commits_open : load->aborts_open;
  ++open;
  const bool is_possible = (load->fates & kPrepared) != 0 || load->loads_open > 0;
  const std::uint64_t news = model_.may_become(*load, !is_possible ? 0 : commit ? kVisible : kAbsent);
  const Manner manner = kind ? Manner{} : draw_manner(dice_, request.size(), unkind_percent);
  const char* const verb = commit ? "commit" : "abort";
  note("{} load {} by {}", verb, load->number, by_label ? "label" : "txn_id");
  const Answer answer = co_await ask(&world_, &scripts_, &dice_, request, manner);
  if (!answer.is_whole()) {
    note("{} load {}: no answer", verb, load->number);
    if (answer.got == Answer::Got::Refused) --open;
    (void)is_late(answer, fmt::format("{} of load {}", verb, load->number));
    co_return;
  }
  ++tally_.answers;
  const std::string text = field_of(answer.body, "msg");
  note("{} load {} <- {} {}", verb, load->number, field_of(answer.body, "status"), short_of(text));
  if (open > 0) --open;
  const bool is_news = load->changes == news;
  ++load->changes;
  unsigned now = kAbsent | kPrepared | kVisible;
  if (field_of(answer.body, "status") == "Success") {
    (commit ? tally_.committed : tally_.aborted) += 1;
    now = commit ? kVisible : kAbsent;
  } else if (says(text, "already visible") || says(text, "already VISIBLE")) {
    now = kVisible;
  } else if (says(text, "already aborted")) {
    now = kAbsent;
  } else if (says(text, "not found")) {
    now = by_label ? kAbsent | kVisible : kAbsent;  // by label it only says that nothing is open or prepared
  } else if (!says(text, "is prepare, not pre-committed") && !says(text, "stays pre-committed") &&
             !says(text, "shutting down") && !says(text, "try again") &&
             !(may_refuse && says(text, "cannot be read"))) {
    model_.violate(fmt::format("{} of load {} was answered '{}'", verb, load->number, text));
  }
  if (now == kVisible || is_news) model_.is_now(*load, now, fmt::format("a {}: '{}'", verb, text));
  if (now == kAbsent && txn) {
    load->ended_txns.insert(*txn);
    if (load->txn == txn) load->txn.reset();
  }
}

Script<> Clients::commit_again(ModelLoad* load) {
  const std::uint64_t txn = *load->txn;
  const Answer answer = co_await ask(
      &world_, &scripts_, &dice_,
      put_2pc(fmt::format("txn_id: {}\r\ntxn_operation: {}\r\n", txn, dice_.coin() ? "commit" : "abort")),
      Manner{});
  if (!is_whole(answer, "an operation on what is visible")) co_return;
  ++tally_.answers;
  const std::string text = field_of(answer.body, "msg");
  note("again, txn {} of load {} <- {}", txn, load->number, short_of(text));
  if (!says(text, "is already visible, not pre-committed.") &&
      !says(text, "is already VISIBLE, could not abort.") && !says(text, "shutting down") &&
      !(may_refuse && says(text, "cannot be read"))) {
    model_.violate(fmt::format("TxnId {} of load {} is visible, and an operation on it was answered '{}'",
                               txn, load->number, text));
  }
}

Script<> Clients::scan(std::string table, bool quiet) {
  Model::Look look = model_.begin_look(table);
  if (may_have_lost) look.must.clear();
  const bool was_missing = model_.may_be_missing(table);
  const std::uint64_t drops = model_.drops();
  Manner manner;
  if (dice_.percent(20)) manner.window = dice_.between(10, 3000);
  const Answer answer = co_await ask(&world_, &scripts_, &dice_,
                                     get(fmt::format("/api/db/{}/_scan?columns=k,v,s", table)), manner);
  if (!is_whole(answer, "a scan of " + table)) co_return;
  ++tally_.scans;
  if (answer.status != 200) {
    if (!may_refuse && !was_missing && (model_.drops() == drops || table != model_.dropped_table()))
      model_.violate(fmt::format("a scan of {} was answered {}", table, short_of(answer.body)));
    co_return;
  }
  note("scan of {}: {} bytes", table, answer.body.size());
  if (quiet) {
    model_.end_quiet_look(look, answer.body);
  } else {
    model_.end_look(look, answer.body);
  }
}

Script<> Clients::ask_state(ModelLoad* load, bool quiet) {
  const std::uint64_t news = model_.may_become(*load, 0);
  const Answer answer =
      co_await ask(&world_, &scripts_, &dice_, get("/api/db/get_load_state?label=" + load->label), Manner{});
  if (!is_whole(answer, "get_load_state")) co_return;
  ++tally_.answers;
  const std::string state = field_of(answer.body, "data");
  note("state of load {}: {}", load->number, state);
  const std::string said = "get_load_state: " + state;
  const bool is_news = load->changes == news;
  if (state == "VISIBLE") {
    model_.is_now(*load, kVisible, said);
  } else if (state == "PRECOMMITTED") {
    if (is_news) model_.is_now(*load, kPrepared, said);
  } else if (state == "UNKNOWN" || state == "ABORTED") {
    if (is_news) model_.is_now(*load, kAbsent, said);
  } else if (state.find("cannot be read") != std::string::npos && may_refuse) {
    // a fault is under way
  } else if (state != "PREPARE" || quiet) {
    model_.violate(fmt::format("load {}: {}", load->number, said));
  }
}

// Many small loads of one table at the same moment: they share syncs, blocks and records.
Script<> Clients::burst() {
  const std::string table = model_.tables()[dice_.below(model_.tables().size())];
  const bool two_phase_too = dice_.coin();
  for (std::uint64_t i = dice_.between(3, 8); i > 0; --i) {
    const bool two_phase = two_phase_too && dice_.percent(30);
    ModelLoad& load =
        model_.add(table, static_cast<int>(dice_.between(1, 3)), two_phase, two_phase || dice_.coin());
    load.busy = true;
    scripts_.start(send_one(&load));
  }
  (void)co_await scripts_.pause(std::chrono::microseconds(200));
}

Script<> Clients::send_one(ModelLoad* load) {
  ++at_work;
  co_await send_load(load, true);
  load->busy = false;
  --at_work;
}

Script<> Clients::begin_new() {
  const bool two_phase = dice_.percent(45);
  const bool labelled = two_phase || dice_.percent(60);
  const int rows = dice_.percent(10)
                       ? 0
                       : static_cast<int>(dice_.percent(15) ? dice_.between(10, 60) : dice_.between(1, 9));
  ModelLoad* const load =
      &model_.add(model_.tables()[dice_.below(model_.tables().size())], rows, two_phase, labelled);
  load->group_commit = !labelled && dice_.coin();
  load->busy = true;
  if (two_phase && dice_.percent(8)) scripts_.start(abort_soon(load));
  co_await send_load(load, false);
  // Its connection is gone, and it comes again at once: the server may not know yet.
  if (labelled && load->loads_open > 0 && dice_.percent(30)) co_await send_load(load, false);
  if (load->two_phase && load->is_certain(kPrepared) && dice_.percent(50)) {
    co_await operate(load, dice_.percent(80), false);
  }
  load->busy = false;
}

Script<> Clients::work() {
  ++at_work;
  while (!is_resting) {
    if (dice_.percent(1)) co_await truncate(model_.truncated_table());
    if (dice_.percent(model_.may_be_missing(model_.dropped_table()) ? 15 : 2)) co_await drop_and_make();
    if (dice_.percent(2)) (void)co_await statement(draw_alter());
    if (dice_.percent(2)) co_await burst();
    const std::uint64_t longest = dice_.percent(3) ? 2'000'000'000 : 500'000;
    (void)co_await scripts_.pause(core::Duration(static_cast<std::int64_t>(dice_.below(longest))));
    ModelLoad* load = nullptr;
    switch (dice_.below(10)) {
      case 0:
      case 1:  // what is in doubt, under its label
        load =
            pick([](const ModelLoad& l) { return !l.label.empty() && l.sent && (l.fates & kAbsent) != 0; });
        if (load == nullptr) break;
        load->busy = true;
        co_await send_load(load, false);
        load->busy = false;
        break;
      case 2:
      case 3:  // the end of a prepared one, now and then by two at once
        load = pick([](const ModelLoad& l) { return l.two_phase && (l.fates & kPrepared) != 0; });
        if (load == nullptr) break;
        load->busy = !dice_.percent(20);
        {
          const bool held = load->busy;
          co_await operate(load, dice_.percent(75), false);
          if (held) load->busy = false;
        }
        break;
      case 4:
        load = pick(
            [](const ModelLoad& l) { return l.two_phase && l.is_certain(kVisible) && l.txn.has_value(); });
        if (load != nullptr) co_await commit_again(load);
        break;
      case 5:
        co_await scan(model_.tables()[dice_.below(model_.tables().size())], false);
        break;
      case 6:
        load = pick([](const ModelLoad& l) { return !l.label.empty() && l.sent; });
        if (load == nullptr) break;
        load->busy = true;
        co_await ask_state(load, false);
        load->busy = false;
        break;
      default:
        co_await begin_new();
    }
  }
  --at_work;
}

Script<> Clients::find_none_prepared(bool* done) {
  for (auto& [number, load] : model_.loads()) {
    if (!load.two_phase || !load.sent || (load.fates & kPrepared) == 0) continue;
    co_await ask_state(&load, false);
    if (load.is_certain(kPrepared)) {
      model_.violate(fmt::format("the lease of load {} is over, and it is prepared", load.number));
    }
  }
  *done = true;
}

Script<> Clients::settle(bool* done) {
  co_await have_dropped_table();
  for (auto& [number, load] : model_.loads()) {
    if (!load.label.empty() && load.sent) co_await ask_state(&load, true);
  }
  for (const std::string& table : model_.tables()) co_await scan(table, true);
  *done = true;
}

Script<> Clients::read_all(bool* done) {
  for (const std::string& table : model_.tables()) co_await scan(table, false);
  *done = true;
}

Script<> Clients::finish(bool* done) {
  co_await have_dropped_table();
  for (auto& [number, load] : model_.loads()) {
    if (load.label.empty() || !load.sent) continue;
    for (int turn = 0; (load.fates & kAbsent) != 0 && turn < 100; ++turn) {
      co_await send_load(&load, true);
      (void)co_await scripts_.pause(std::chrono::milliseconds(20));
    }
    for (int turn = 0; !load.is_certain(kVisible) && turn < 100; ++turn) {
      if (load.two_phase) co_await operate(&load, true, true);
    }
    if (!load.is_certain(kVisible)) {
      model_.violate(
          fmt::format("load {} cannot be brought to an end: it is {}", load.number, fates_text(load.fates)));
    }
  }
  for (const std::string& table : model_.tables()) co_await scan(table, true);
  *done = true;
}

}  // namespace penstock::simulate
