#include "tests/simulate/model.hpp"

#include <fmt/format.h>

#include <charconv>

#include "tests/sim/sim_random.hpp"

namespace penstock::simulate {

std::string fates_text(unsigned fates) {
  std::string out;
  for (const auto& [bit, name] :
       {std::pair(kAbsent, "absent"), std::pair(kPrepared, "prepared"), std::pair(kVisible, "visible")}) {
    if ((fates & bit) == 0) continue;
    if (!out.empty()) out += " or ";
    out += name;
  }
  return out.empty() ? "nothing possible" : out;
}

std::string Model::cell_v(std::int64_t key) {
  const std::uint64_t mixed = sim::mix64(static_cast<std::uint64_t>(key));
  return mixed % 7 == 0 ? "\\N" : std::to_string(static_cast<std::int32_t>(mixed >> 32));
}

std::string Model::cell_s(std::int64_t key) {
  std::uint64_t mixed = sim::mix64(~static_cast<std::uint64_t>(key));
  if (mixed % 11 == 0) return "\\N";
  const std::size_t length = mixed % 13 == 0 ? 700 : mixed % 40;
  std::string out;
  while (out.size() < length) {
    out += static_cast<char>('a' + mixed % 26);
    mixed = sim::mix64(mixed);
  }
  return out;
}

ModelLoad& Model::add(std::string table, int rows, bool two_phase, bool labelled) {
  ModelLoad load;
  load.number = next_++;
  load.rows = rows;
  load.table = std::move(table);
  load.two_phase = two_phase;
  if (labelled) load.label = fmt::format("load_{}", load.number);
  return loads_.emplace(load.number, std::move(load)).first->second;
}

// Ages count running time in whole seconds: one may be up to a second younger than its age says.
void Model::end_lease(ModelLoad& load) const {
  constexpr core::Duration kSlack = std::chrono::seconds(1);
  if (lease == core::Duration{} || (load.fates & kPrepared) == 0) return;
  if (now() + kSlack >= load.sent_at + lease) load.fates |= kAbsent;
}

void Model::is_now(ModelLoad& load, unsigned fates, std::string_view said_by) {
  end_lease(load);
  ++load.changes;
  unsigned left = load.fates & fates;
  if (left == 0) {
    violate(fmt::format("load {} (label '{}', {} rows, table {}) can only be {}, but {} says it is {}",
                        load.number, load.label, load.rows, load.table, fates_text(load.fates), said_by,
                        fates_text(fates)));
    return;
  }
  if ((left & kAbsent) != 0 && load.loads_open > 0) left |= load.two_phase ? kPrepared : kVisible;
  if ((left & kPrepared) != 0 && load.commits_open > 0) left |= kVisible;
  if ((left & kPrepared) != 0 && load.aborts_open > 0) left |= kAbsent;
  load.fates = left;
}

void Model::forget_requests() {
  for (auto& [number, load] : loads_) {
    end_lease(load);
    load.loads_open = load.loads_vanished = load.commits_open = load.aborts_open = 0;
    load.busy = false;
  }
  drops_.open = 0;
  for (auto& [table, each] : truncates_) each.open = 0;
}

void Model::begin_attempt(ModelLoad& load) {
  ++load.attempts;
  // An age counts from the attempt that prepared it: a later one is refused, and makes nothing younger.
  if ((load.fates & kPrepared) == 0) load.sent_at = now();
  if (load.attempts > 1 && load.rows_are == Rows::There && load.loads_open == 0 &&
      truncates_[load.table].open == 0)
    return;
  if (load.attempts > 1 || truncates_[load.table].open > 0) load.rows_are = Rows::Doubtful;
}

// It began after those truncations, so nothing took its rows if there was none meanwhile.
void Model::end_attempt(ModelLoad& load, std::uint64_t truncations_before) {
  const Truncates& of_table = truncates_[load.table];
  if (of_table.open == 0 && of_table.sent == truncations_before) load.rows_are = Rows::There;
}

Model::Truncate Model::begin_truncate(const std::string& table) {
  ++truncates_[table].open;
  ++truncates_[table].sent;
  Truncate truncate{.table = table, .began_before = {}};
  for (auto& [number, load] : loads_) {
    if (load.table != table || !load.sent) continue;
    if (load.rows_are == Rows::There) load.rows_are = Rows::Doubtful;
    if (load.loads_open == 0 && (load.is_certain(kPrepared) || load.is_certain(kVisible))) {
      truncate.began_before[number] = load.attempts;
    }
  }
  return truncate;
}

void Model::end_truncate(const Truncate& truncate, bool done) {
  --truncates_[truncate.table].open;
  if (!done) return;
  for (const auto& [number, attempts] : truncate.began_before) {
    if (loads_.at(number).attempts == attempts) loads_.at(number).rows_are = Rows::Gone;
  }
}

Model::Look Model::begin_look(const std::string& table) const {
  Look look{.table = table, .must = {}, .gone = {}};
  for (const auto& [number, load] : loads_) {
    if (load.table != table) continue;
    if (load.is_certain(kVisible) && load.rows_are == Rows::There) look.must.insert(number);
    if (load.rows_are == Rows::Gone) look.gone.insert(number);
  }
  return look;
}

// The loads whose rows are there; each whole, each row once and as it was sent.
std::set<int> Model::read_rows(const std::string& table, std::string_view rows) {
  std::map<int, std::set<int>> found;
  while (!rows.empty()) {
    const std::size_t end = rows.find('\n');
    if (end == std::string_view::npos) {
      violate(fmt::format("a scan of {} ends within a row", table));
      return {};
    }
    const std::string_view row = rows.substr(0, end);
    rows.remove_prefix(end + 1);
    std::int64_t key = -1;
    const std::size_t tab = row.find('\t');
    (void)std::from_chars(row.data(), row.data() + std::min(tab, row.size()), key);
    const int number = static_cast<int>(key / 1000);
    const int index = static_cast<int>(key % 1000);
    const auto load = loads_.find(number);
    if (load == loads_.end() || load->second.table != table || index >= load->second.rows) {
      violate(fmt::format("a scan of {} shows a row that nobody sent there: {}", table, row.substr(0, 60)));
      return {};
    }
    if (row != fmt::format("{}\t{}\t{}", key, cell_v(key), cell_s(key))) {
      violate(fmt::format("a scan of {} shows row {} with other cells: {}", table, key, row.substr(0, 60)));
    }
    if (!found[number].insert(index).second) {
      violate(fmt::format("row {} of load {} is in {} twice", key, number, table));
    }
  }
  std::set<int> loads;
  for (const auto& [number, indexes] : found) {
    const ModelLoad& load = loads_.at(number);
    if (static_cast<int>(indexes.size()) != load.rows) {
      violate(
          fmt::format("load {} is in {} in part: {} of {} rows", number, table, indexes.size(), load.rows));
    }
    loads.insert(number);
  }
  return loads;
}

std::set<int> Model::end_look(const Look& look, std::string_view rows) {
  const std::set<int> seen = read_rows(look.table, rows);
  for (const int number : seen) is_now(loads_.at(number), kVisible, "a scan");
  for (const int number : look.gone) {
    if (seen.contains(number) && loads_.at(number).rows_are == Rows::Gone) {
      violate(
          fmt::format("the rows of load {} were truncated, and a scan of {} shows them", number, look.table));
    }
  }
  for (const int number : look.must) {
    if (loads_.at(number).rows > 0 && loads_.at(number).rows_are == Rows::There && !seen.contains(number)) {
      violate(fmt::format("load {} was acknowledged as visible, and a scan of {} does not show it", number,
                          look.table));
    }
  }
  return seen;
}

void Model::end_quiet_look(const Look& look, std::string_view rows) {
  const std::set<int> seen = end_look(look, rows);
  for (auto& [number, load] : loads_) {
    if (load.table != look.table || load.rows == 0 || load.rows_are != Rows::There || seen.contains(number))
      continue;
    is_now(load, kAbsent | kPrepared, "a scan after everything has ended");
  }
}

}  // namespace penstock::simulate
