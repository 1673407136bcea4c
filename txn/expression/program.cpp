#include "txn/expression/program.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/base/result.hpp"
#include "txn/decode/text_to_value.hpp"
#include "txn/expression/cast.hpp"
#include "txn/schema/table_schema.hpp"

namespace penstock::txn {
namespace {

constexpr std::size_t kProgramNodesMax = 4 * kNodesMax;

std::unexpected<std::string> refuse(std::string message) { return std::unexpected(std::move(message)); }

// Functions whose brackets may be left out.
constexpr std::array<std::string_view, 5> kBareFunctions = {"current_timestamp", "current_date", "localtime",
                                                            "localtimestamp", "utc_timestamp"};

template <class T>
void read_numbers(const ColumnView& column, std::size_t begin, Vector& out) {
  for (std::size_t row = 0; row < out.numbers.size(); ++row) out.numbers[row] = column.value<T>(begin + row);
}

}  // namespace

void read_column(const ColumnRows& rows, std::size_t count, ValueType type, Vector& out) {
  const ColumnView* const column = rows.view;
  const std::size_t begin = rows.begin;
  out.prepare(type, count);
  if (column == nullptr) {
    std::fill(out.nulls.begin(), out.nulls.end(), std::uint8_t{1});
    return;
  }
  if (column->null_count != 0) {
    for (std::size_t row = 0; row < count; ++row) out.nulls[row] = column->is_null(begin + row) ? 1 : 0;
  }
  if (type.kind == ValueKind::String) {
    for (std::size_t row = 0; row < count; ++row) {
      if (out.nulls[row] == 0) out.texts[row] = column->text_at(begin + row);
    }
    return;
  }
  if (type.kind == ValueKind::Double) {
    if (column->type.kind == TypeKind::Float) {
      for (std::size_t row = 0; row < count; ++row)
        out.doubles[row] = static_cast<double>(column->value<float>(begin + row));
    } else {
      for (std::size_t row = 0; row < count; ++row) out.doubles[row] = column->value<double>(begin + row);
    }
    return;
  }
  switch (fixed_width(column->type)) {
    case 1:
      if (type.kind == ValueKind::Boolean) return read_numbers<std::uint8_t>(*column, begin, out);
      return read_numbers<std::int8_t>(*column, begin, out);
    case 2:
      return read_numbers<std::int16_t>(*column, begin, out);
    case 4:
      return read_numbers<std::int32_t>(*column, begin, out);
    case 8:
      return read_numbers<std::int64_t>(*column, begin, out);
    default:
      return read_numbers<Int128>(*column, begin, out);
  }
}

Program::Added Program::push(Node node) {
  if (nodes_.size() == kProgramNodesMax) {
    return refuse(fmt::format("expressions of more than {} parts in all", kProgramNodesMax));
  }
  nodes_.push_back(std::move(node));
  return static_cast<NodeId>(nodes_.size() - 1);
}

Program::Added Program::add_input(std::size_t column, const ColumnDef& definition) {
  Node node;
  node.kind = Node::Kind::Input;
  node.type = value_type(definition.type);
  node.column = column;
  if (node.type.kind == ValueKind::Null) {
    return refuse(fmt::format("column {} is of type {}, which expressions do not take yet", definition.name,
                              type_name(definition.type)));
  }
  return push(std::move(node));
}

Program::Added Program::add_literal(ValueType type, const std::function<void(Vector&)>& fill) {
  Node node;
  node.type = type;
  node.literal = std::make_unique<Vector>();
  node.literal->prepare(type, 1);
  node.literal->is_constant = true;
  fill(*node.literal);
  if (constants_.text.is_over()) return refuse("the texts of an expression are too long");
  if (constants_.is_over()) return refuse("what depends on literals alone takes too much work");
  return push(std::move(node));
}

Program::Added Program::add_number(std::string_view text) {
  const std::size_t digits = static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; }));
  const std::size_t point = text.find('.');
  if (digits <= 38 && text.find_first_of("eE") == std::string_view::npos) {
    const std::size_t scale = point == std::string_view::npos ? 0 : text.size() - point - 1;
    Int128 value = 0;
    if (parse_decimal(text, 38, static_cast<unsigned>(scale), value)) {
      const ValueType type = point == std::string_view::npos
                                 ? kIntegerValue
                                 : ValueType{ValueKind::Decimal, static_cast<std::uint8_t>(scale)};
      return add_literal(type, [&](Vector& out) { out.numbers[0] = value; });
    }
  }
  double value = 0;
  if (!parse_double(text, value)) return refuse(fmt::format("'{}' is not a number", text));
  return add_literal(kDoubleValue, [&](Vector& out) { out.doubles[0] = value; });
}

Program::Added Program::add_text(std::string_view text) {
  return add_literal(kStringValue, [&](Vector& out) { out.texts[0] = constants_.text.keep(text); });
}

Program::Added Program::add(const Expr& expr, const Resolve& resolve) {
  switch (expr.kind) {
    case Expr::Kind::Null:
      return add_literal({}, [](Vector& out) { out.nulls[0] = 1; });
    case Expr::Kind::Boolean:
      return add_literal(kBooleanValue, [&](Vector& out) { out.numbers[0] = expr.flag ? 1 : 0; });
    case Expr::Kind::Number:
      return add_number(expr.text);
    case Expr::Kind::Text:
      return add_text(expr.text);
    case Expr::Kind::Column: {
      Added node = resolve(expr.text);
      if (node) return node;
      const std::string name = lower_case(expr.text);
      if (std::find(kBareFunctions.begin(), kBareFunctions.end(), name) != kBareFunctions.end()) {
        return call(name, {});
      }
      return node;
    }
    case Expr::Kind::Call:
      return add_call(expr, resolve);
    case Expr::Kind::Cast: {
      TRY(const NodeId node, add(*expr.args[0], resolve));
      if (value_type(expr.type).kind == ValueKind::Null) {
        return refuse(fmt::format("CAST to {} is not supported in loads", type_name(expr.type)));
      }
      return add_cast(node, expr.type);
    }
  }
  return refuse("an expression nobody understands");
}

Program::Added Program::add_call(const Expr& expr, const Resolve& resolve) {
  std::vector<NodeId> args;
  for (const ExprPtr& arg : expr.args) {
    TRY(const NodeId node, add(*arg, resolve));
    args.push_back(node);
  }
  if (expr.text == "op:case of") {  // CASE x WHEN a: CASE WHEN x = a
    const NodeId operand = args[0];
    args.erase(args.begin());
    for (std::size_t i = 0; i + 1 < args.size(); i += 2) {
      TRY(args[i], call("op:=", {operand, args[i]}));
    }
    return call("op:case", std::move(args));
  }
  if (expr.text == "nullif" && args.size() == 2) {
    TRY(const NodeId equal, call("op:=", {args[0], args[1]}));
    TRY(const NodeId null, add_literal({}, [](Vector& out) { out.nulls[0] = 1; }));
    return call("op:case", {equal, null, args[0]});
  }
  if (expr.text == "unix_timestamp" && args.size() == 2) {
    return call("op:unix_timestamp by format", std::move(args));
  }
  return call(expr.text, std::move(args));
}

// A text literal beside numbers is compared as the number it is: '9007199254740993' is not rounded.
std::expected<void, std::string> Program::read_numbers_as_such(std::vector<NodeId>& args) {
  const bool has_exact = std::any_of(args.begin(), args.end(), [&](NodeId arg) {
    return type_of(arg).kind == ValueKind::Integer || type_of(arg).kind == ValueKind::Decimal;
  });
  if (!has_exact) return {};
  for (NodeId& arg : args) {
    if (!is_literal(arg) || type_of(arg).kind != ValueKind::String || nodes_[arg].literal->is_null(0))
      continue;
    const std::string_view text = trim_blanks(nodes_[arg].literal->text(0));
    if (text.empty() || text.size() > 40 || text.find_first_not_of("+-.0123456789") != std::string_view::npos)
      continue;
    Int128 ignored;
    if (!parse_decimal(text, 38, 0, ignored)) continue;
    TRY(arg, add_number(text));
  }
  return {};
}

ValueType Program::time_type(NodeId node, bool keeps_dates) const {
  const ValueType type = type_of(node);
  if (type.kind == ValueKind::DateTime || (keeps_dates && type.kind == ValueKind::Date)) return type;
  if (type.kind == ValueKind::Date || type.kind == ValueKind::Null) return {ValueKind::DateTime, 0};
  if (type.kind == ValueKind::String && is_literal(node) && !nodes_[node].literal->is_null(0)) {
    const std::string_view text = nodes_[node].literal->text(0);
    const std::size_t point =
        text.find(':') == std::string_view::npos ? std::string_view::npos : text.find('.');
    if (point == std::string_view::npos) return {ValueKind::DateTime, 0};
  }
  return kTimeValue;
}

Program::Added Program::call(std::string_view name, std::vector<NodeId> args) {
  const Function* function = find_function(name);
  if (function == nullptr) return refuse(refusal(name));
  if (args.size() < function->args_min || args.size() > function->args_max) {
    return refuse(fmt::format("function {} does not take {} arguments", name, args.size()));
  }
  const auto letter_at = [&](std::size_t i) {
    return function->args[std::min(i, function->args.size() - 1)];
  };
  if (function->args.find('q') != std::string_view::npos) {
    TRY_VOID(read_numbers_as_such(args));
  }
  ValueType common;
  for (std::size_t i = 0; i < args.size(); ++i) {
    if (letter_at(i) == 'c') common = common_result(common, type_of(args[i]));
    if (letter_at(i) == 'q') common = common_to_compare(common, type_of(args[i]));
  }
  const auto type_for = [&](char letter, NodeId arg) -> ValueType {
    switch (letter) {
      case 's':
        return kStringValue;
      case 'i':
        return kIntegerValue;
      case 'd':
        return kDoubleValue;
      case 'b':
        return kBooleanValue;
      case 'D':
        return kDateValue;
      case 't':
      case 'e':
        return time_type(arg, letter == 'e');
      case 'c':
      case 'q':
        return common;
      case 'n': {
        const ValueKind kind = type_of(arg).kind;
        if (kind == ValueKind::Decimal || kind == ValueKind::Double) return type_of(arg);
        const bool is_whole =
            kind == ValueKind::Integer || kind == ValueKind::Boolean || kind == ValueKind::Null;
        return is_whole ? kIntegerValue : kDoubleValue;
      }
      default:
        return type_of(arg);
    }
  };
  std::vector<ValueType> types;
  std::vector<const Vector*> literals;
  for (std::size_t i = 0; i < args.size(); ++i) {
    types.push_back(type_for(letter_at(i), args[i]));
    literals.push_back(nodes_[args[i]].literal.get());
  }
  Node node;
  node.kind = Node::Kind::Call;
  node.function = function;
  if (function->infer != nullptr) {
    node.type = function->infer(types, literals);
  } else if (function->result == '1') {
    node.type = types[0];
  } else {
    node.type = function->result == 't' ? kTimeValue : type_for(function->result, 0);
  }
  bool is_constant = true;
  for (std::size_t i = 0; i < args.size(); ++i) {
    TRY(args[i], coerce(args[i], types[i]));
    is_constant &= is_literal(args[i]);
  }
  node.args = std::move(args);
  if (!is_constant) return push(std::move(node));
  return add_literal(node.type, [&](Vector& out) {
    constants_.rows = 1;
    compute(node, constants_, out);
    out.is_constant = true;
  });
}

// To another kind; nothing to do where the numbers mean the same.
Program::Added Program::coerce(NodeId node, ValueType to) {
  const ValueType from = type_of(node);
  const bool is_same =
      from == to || (from.kind == ValueKind::Boolean && to.kind == ValueKind::Integer) ||
      (from.kind == ValueKind::DateTime && to.kind == ValueKind::DateTime && to.scale >= from.scale);
  if (is_same) return node;
  Node cast;
  cast.kind = Node::Kind::Cast;
  cast.type = to;
  cast.args = {node};
  if (!is_literal(node)) return push(std::move(cast));
  return add_literal(to, [&](Vector& out) {
    constants_.rows = 1;
    compute(cast, constants_, out);
    out.is_constant = true;
  });
}

Program::Added Program::add_cast(NodeId node, const Type& type) {
  Node cast;
  cast.kind = Node::Kind::CastToType;
  cast.type = value_type(type);
  cast.cast_to = type;
  cast.args = {node};
  if (!is_literal(node)) return push(std::move(cast));
  return add_literal(cast.type, [&](Vector& out) {
    constants_.rows = 1;
    compute(cast, constants_, out);
    out.is_constant = true;
  });
}

void Program::compute(const Node& node, Evaluation& evaluation, Vector& out) const {
  const bool is_constant = &evaluation == &constants_;
  const auto value_of = [&](NodeId arg) -> const Vector* {
    if (nodes_[arg].literal != nullptr) return nodes_[arg].literal.get();
    CHECK(!is_constant);
    return &slots_[arg];
  };
  if (node.kind == Node::Kind::Cast) return cast_values(evaluation, *value_of(node.args[0]), node.type, out);
  if (node.kind == Node::Kind::CastToType) {
    return cast_to_type(evaluation, *value_of(node.args[0]), node.cast_to, out);
  }
  std::array<const Vector*, 16> few;
  std::vector<const Vector*> many;
  if (node.args.size() > few.size()) many.resize(node.args.size());
  const Vector** const list = many.empty() ? few.data() : many.data();
  for (std::size_t i = 0; i < node.args.size(); ++i) list[i] = value_of(node.args[i]);
  const Args args(list, node.args.size());
  out.prepare(node.type, evaluation.rows);
  if (!node.function->sees_nulls) {
    for (const Vector* arg : args) {
      for (std::size_t row = 0; row < evaluation.rows; ++row) out.nulls[row] |= arg->nulls[arg->at(row)];
    }
  }
  node.function->kernel(evaluation, args, out);
}

bool Program::run(std::span<const ColumnRows> columns, std::size_t count) {
  CHECK_LE(count, kBatchRowsMax);
  evaluation_.text.clear();
  evaluation_.rows = count;
  evaluation_.work = 0;
  evaluation_.work_max = count == 1 ? kRowWorkMax : kBatchWorkMax;
  slots_.resize(nodes_.size());
  results_.resize(nodes_.size());
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    const Node& node = nodes_[i];
    if (node.kind == Node::Kind::Literal) {
      results_[i] = node.literal.get();
      continue;
    }
    results_[i] = &slots_[i];
    evaluation_.spend(count * (kValueWork + kValueWork / 4 * node.args.size()));
    if (node.kind == Node::Kind::Input) {
      read_column(columns[node.column], count, node.type, slots_[i]);
    } else {
      compute(node, evaluation_, slots_[i]);
    }
    if (evaluation_.is_over()) return false;
  }
  return true;
}

std::size_t Program::batch_rows_max() const {
  return std::clamp<std::size_t>(kStepWorkMax / (kValueWork * std::max<std::size_t>(nodes_.size(), 1)), 1,
                                 kBatchRowsMax);
}

std::size_t Program::reserved_bytes() const {
  std::size_t sum = slots_.capacity() * sizeof(Vector) + results_.capacity() * sizeof(Vector*) +
                    evaluation_.text.reserved_bytes();
  for (const Vector& slot : slots_) sum += slot.reserved_bytes();
  return sum;
}

std::size_t Program::fixed_bytes() const {
  std::size_t sum = constants_.text.reserved_bytes() + nodes_.capacity() * sizeof(Node);
  for (const Node& node : nodes_) {
    sum += node.args.capacity() * sizeof(NodeId);
    if (node.literal != nullptr) sum += sizeof(Vector) + node.literal->reserved_bytes();
  }
  return sum;
}

void Program::release_memory() {
  slots_.clear();
  slots_.shrink_to_fit();
  results_.clear();
  results_.shrink_to_fit();
  evaluation_.text.release_memory();
}

}  // namespace penstock::txn
