#include "txn/expression/expression_tree.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "core/base/result.hpp"
#include "txn/schema/table_schema.hpp"
#include "txn/schema/type_words.hpp"

namespace penstock::txn {
namespace {

constexpr unsigned kNestingMax = 64;
constexpr std::size_t kItemsMax = 4096;

// Words that cannot be the name of a column unless they are quoted.
constexpr std::array<std::string_view, 22> kReserved = {
    "and", "or",   "not",  "is",   "null",  "in",   "between", "like", "case", "when",   "then",
    "end", "else", "cast", "true", "false", "from", "select",  "div",  "as",   "having", "where"};

class Parser {
 public:
  explicit Parser(std::string_view text) : cursor_(text) {}

  SqlResult<ExprPtr> whole() {
    TRY(ExprPtr expr, disjunction());
    TRY_VOID(cursor_.expect_end());
    return expr;
  }

  SqlResult<std::vector<ColumnItem>> items() {
    std::vector<ColumnItem> items;
    do {
      if (items.size() == kItemsMax) return sql_error(fmt::format("more than {} columns", kItemsMax));
      ColumnItem item;
      TRY(item.name, cursor_.expect_name("the name of a column"));
      if (cursor_.accept_symbol('=')) {
        TRY(item.value, disjunction());
      }
      items.push_back(std::move(item));
    } while (cursor_.accept_symbol(','));
    TRY_VOID(cursor_.expect_end());
    return items;
  }

 private:
  using Parsed = SqlResult<ExprPtr>;

  // ---- Nodes ----

  Parsed node(Expr::Kind kind, std::string text, std::vector<ExprPtr> args = {}) {
    if (++nodes_ > kNodesMax) return sql_error(fmt::format("an expression of more than {} parts", kNodesMax));
    auto expr = std::make_unique<Expr>();
    expr->kind = kind;
    expr->text = std::move(text);
    expr->args = std::move(args);
    for (const ExprPtr& arg : expr->args) expr->depth = std::max(expr->depth, arg->depth + 1);
    if (expr->depth > kTreeDepthMax) {
      return sql_error(fmt::format("an expression that is nested more than {} deep", kTreeDepthMax));
    }
    return expr;
  }
  template <class... Args>
  Parsed call(std::string_view name, Args... args) {
    std::vector<ExprPtr> list;
    (list.push_back(std::move(args)), ...);
    return node(Expr::Kind::Call, std::string(name), std::move(list));
  }
  Parsed boolean(bool value) {
    TRY(ExprPtr expr, node(Expr::Kind::Boolean, ""));
    expr->flag = value;
    return expr;
  }

  // ---- Tokens ----

  bool at_symbol_ahead(char symbol) const {
    const Token& ahead = cursor_.ahead();
    return ahead.kind == Token::Kind::Symbol && ahead.text[0] == symbol;
  }
  bool at_pair(char first, char second) const {
    return cursor_.at_symbol(first) && at_symbol_ahead(second) &&
           cursor_.ahead().begin == cursor_.current().end;
  }
  bool accept_pair(char first, char second) {
    if (!at_pair(first, second)) return false;
    cursor_.advance();
    cursor_.advance();
    return true;
  }

  // ---- Grammar, from the loosest to the tightest ----

  Parsed disjunction() {
    if (++nesting_ > kNestingMax) {
      return sql_error(fmt::format("an expression with more than {} nested brackets", kNestingMax));
    }
    Parsed result = chain("op:or", "OR", '|', &Parser::conjunction);
    --nesting_;
    return result;
  }
  Parsed conjunction() { return chain("op:and", "AND", '&', &Parser::negation); }

  // a AND b AND c is one call of three.
  Parsed chain(std::string_view name, std::string_view keyword, char symbol, Parsed (Parser::*part)()) {
    std::vector<ExprPtr> parts;
    do {
      TRY(ExprPtr next, (this->*part)());
      parts.push_back(std::move(next));
    } while (cursor_.accept_keyword(keyword) || accept_pair(symbol, symbol));
    if (parts.size() == 1) return std::move(parts[0]);
    return node(Expr::Kind::Call, std::string(name), std::move(parts));
  }

  Parsed negation() {
    bool negated = false;
    bool any = false;
    while (cursor_.accept_keyword("NOT")) {
      negated = !negated;
      any = true;
    }
    TRY(ExprPtr expr, predicate());
    if (!any) return expr;
    if (negated) return call("op:not", std::move(expr));
    TRY(expr, call("op:not", std::move(expr)));
    return call("op:not", std::move(expr));
  }

  std::string_view accept_comparison() {
    if (accept_pair('<', '>') || accept_pair('!', '=')) return "op:<>";
    if (accept_pair('>', '=')) return "op:>=";
    if (accept_pair('<', '=')) {
      return cursor_.accept_symbol('>') ? "op:<=>" : "op:<=";
    }
    if (cursor_.accept_symbol('<')) return "op:<";
    if (cursor_.accept_symbol('>')) return "op:>";
    if (cursor_.accept_symbol('=')) {
      cursor_.accept_symbol('=');
      return "op:=";
    }
    return "";
  }

  Parsed predicate() {
    TRY(ExprPtr left, sum());
    for (;;) {
      if (const std::string_view comparison = accept_comparison(); !comparison.empty()) {
        TRY(ExprPtr right, sum());
        TRY(left, call(comparison, std::move(left), std::move(right)));
        continue;
      }
      if (cursor_.accept_keyword("IS")) {
        const bool negated = cursor_.accept_keyword("NOT");
        std::string_view name;
        if (cursor_.accept_keyword("NULL")) {
          name = "op:is null";
        } else if (cursor_.accept_keyword("TRUE")) {
          name = "op:is true";
        } else if (cursor_.accept_keyword("FALSE")) {
          name = "op:is false";
        } else {
          return cursor_.unexpected_here("NULL, TRUE or FALSE");
        }
        TRY(left, call(name, std::move(left)));
        if (negated) {
          TRY(left, call("op:not", std::move(left)));
        }
        continue;
      }
      const bool negated = cursor_.at_keyword("NOT");
      const Token& word = negated ? cursor_.ahead() : cursor_.current();
      const bool is_in = SqlCursor::is_keyword(word, "IN");
      const bool is_between = SqlCursor::is_keyword(word, "BETWEEN");
      const bool is_like = SqlCursor::is_keyword(word, "LIKE");
      if (!is_in && !is_between && !is_like) return left;
      if (negated) cursor_.advance();
      cursor_.advance();
      if (is_in) {
        TRY(left, in_list(std::move(left)));
      } else if (is_between) {
        TRY(ExprPtr low, sum());
        TRY_VOID(cursor_.expect_keyword("AND"));
        TRY(ExprPtr high, sum());
        TRY(left, call("op:between", std::move(left), std::move(low), std::move(high)));
      } else {
        TRY(ExprPtr pattern, sum());
        TRY(left, call("op:like", std::move(left), std::move(pattern)));
      }
      if (negated) {
        TRY(left, call("op:not", std::move(left)));
      }
    }
  }

  Parsed in_list(ExprPtr left) {
    std::vector<ExprPtr> args;
    args.push_back(std::move(left));
    TRY_VOID(cursor_.expect_symbol('('));
    do {
      TRY(ExprPtr value, disjunction());
      args.push_back(std::move(value));
    } while (cursor_.accept_symbol(','));
    TRY_VOID(cursor_.expect_symbol(')'));
    return node(Expr::Kind::Call, "op:in", std::move(args));
  }

  Parsed sum() {
    TRY(ExprPtr left, product());
    for (;;) {
      const bool is_minus = cursor_.at_symbol('-');
      if (!is_minus && !cursor_.at_symbol('+')) return left;
      cursor_.advance();
      if (cursor_.accept_keyword("INTERVAL")) {
        TRY(left, add_interval(std::move(left), is_minus));
        continue;
      }
      TRY(ExprPtr right, product());
      TRY(left, call(is_minus ? "op:-" : "op:+", std::move(left), std::move(right)));
    }
  }

  Parsed product() {
    TRY(ExprPtr left, unary());
    for (;;) {
      std::string_view name;
      if (cursor_.accept_symbol('*')) {
        name = "op:*";
      } else if (cursor_.accept_symbol('/')) {
        name = "op:/";
      } else if (cursor_.accept_symbol('%') || cursor_.accept_keyword("MOD")) {
        name = "op:%";
      } else if (cursor_.accept_keyword("DIV")) {
        name = "op:div";
      } else {
        return left;
      }
      TRY(ExprPtr right, unary());
      TRY(left, call(name, std::move(left), std::move(right)));
    }
  }

  Parsed unary() {
    bool negative = false;
    for (;;) {
      if (cursor_.accept_symbol('-')) {
        negative = !negative;
      } else if (!cursor_.accept_symbol('+')) {
        break;
      }
    }
    if (cursor_.at_symbol('!')) {
      cursor_.advance();
      TRY(ExprPtr inner, primary());
      TRY(inner, call("op:not", std::move(inner)));
      if (negative) return call("op:neg", std::move(inner));
      return inner;
    }
    TRY(ExprPtr expr, primary());
    if (!negative) return expr;
    if (expr->kind == Expr::Kind::Number && expr->text[0] != '-') {
      expr->text.insert(0, "-");
      return expr;
    }
    return call("op:neg", std::move(expr));
  }

  Parsed primary() {
    const Token& token = cursor_.current();
    switch (token.kind) {
      case Token::Kind::Number: {
        std::string text = token.text;
        cursor_.advance();
        return node(Expr::Kind::Number, std::move(text));
      }
      case Token::Kind::String: {
        std::string text = token.text;
        cursor_.advance();
        return node(Expr::Kind::Text, std::move(text));
      }
      case Token::Kind::QuotedName:
        return column_or_call();
      case Token::Kind::Word:
        return word();
      default:
        break;
    }
    if (cursor_.at_symbol('.') && cursor_.ahead().kind == Token::Kind::Number &&
        cursor_.ahead().begin == token.end) {
      cursor_.advance();
      std::string text = "0." + cursor_.current().text;
      if (text.find('.', 2) != std::string::npos) return cursor_.unexpected_here("a number");
      cursor_.advance();
      return node(Expr::Kind::Number, std::move(text));
    }
    if (cursor_.accept_symbol('(')) {
      TRY(ExprPtr inner, disjunction());
      TRY_VOID(cursor_.expect_symbol(')'));
      return inner;
    }
    return cursor_.unexpected_here("a value, a column or a function");
  }

  Parsed word() {
    if (cursor_.accept_keyword("NULL")) return node(Expr::Kind::Null, "");
    if (cursor_.accept_keyword("TRUE")) return boolean(true);
    if (cursor_.accept_keyword("FALSE")) return boolean(false);
    if (cursor_.accept_keyword("CASE")) return case_when();
    const bool calls = at_symbol_ahead('(');
    if (cursor_.at_keyword("CAST") && calls) return cast();
    const bool before_text = cursor_.ahead().kind == Token::Kind::String;
    if (before_text && cursor_.accept_keyword("DATE")) return typed_text(Type::of(TypeKind::Date));
    if (before_text && cursor_.accept_keyword("TIMESTAMP")) return typed_text(Type::date_time(6));
    const std::string name = lower_case(cursor_.current().text);
    if (!calls && std::find(kReserved.begin(), kReserved.end(), name) != kReserved.end()) {
      return cursor_.unexpected_here("a value, a column or a function");
    }
    return column_or_call();
  }

  Parsed typed_text(const Type& type) {
    TRY(std::string text, cursor_.expect_string("a date"));
    TRY(ExprPtr inner, node(Expr::Kind::Text, std::move(text)));
    return cast_to(std::move(inner), type);
  }

  Parsed column_or_call() {
    const bool is_word = cursor_.current().kind == Token::Kind::Word;
    TRY(std::string name, cursor_.expect_name("the name of a column"));
    if (is_word && cursor_.accept_symbol('(')) return function(lower_case(name));
    for (int parts = 1; parts < 3 && cursor_.accept_symbol('.'); ++parts) {  // table.column
      TRY(name, cursor_.expect_name("the name of a column"));
    }
    return node(Expr::Kind::Column, std::move(name));
  }

  Parsed function(std::string name) {
    std::vector<ExprPtr> args;
    if (cursor_.accept_symbol(')')) return node(Expr::Kind::Call, std::move(name));
    if (cursor_.accept_keyword("DISTINCT") || (cursor_.at_symbol('*') && at_symbol_ahead(')'))) {
      cursor_.accept_symbol('*');  // count(*): the binder says what it thinks of aggregates
      if (cursor_.accept_symbol(')')) return node(Expr::Kind::Call, std::move(name));
    }
    do {
      if (args.size() == 1 && cursor_.accept_keyword("INTERVAL")) {
        const bool subtracts = name == "date_sub" || name == "subdate" || name == "days_sub";
        if (!subtracts && name != "date_add" && name != "adddate" && name != "days_add") {
          return sql_error(fmt::format("INTERVAL is not for function {}", name));
        }
        TRY(ExprPtr moved, add_interval(std::move(args[0]), subtracts));
        TRY_VOID(cursor_.expect_symbol(')'));
        return moved;
      }
      TRY(ExprPtr arg, disjunction());
      args.push_back(std::move(arg));
    } while (cursor_.accept_symbol(','));
    TRY_VOID(cursor_.expect_symbol(')'));
    return node(Expr::Kind::Call, std::move(name), std::move(args));
  }

  // Behind the word INTERVAL: n unit. `left` moved by it is a call of months_add and the like.
  Parsed add_interval(ExprPtr left, bool subtracts) {
    TRY(ExprPtr count, unary());
    TRY(std::string unit, cursor_.expect_name("a unit of time"));
    unit = lower_case(unit);
    constexpr std::array<std::string_view, 8> kUnits = {"year", "quarter", "month",  "week",
                                                        "day",  "hour",    "minute", "second"};
    if (std::find(kUnits.begin(), kUnits.end(), unit) == kUnits.end()) {
      return sql_error(fmt::format("INTERVAL in '{}': a unit from YEAR to SECOND is expected", unit));
    }
    return call(unit + (subtracts ? "s_sub" : "s_add"), std::move(left), std::move(count));
  }

  // CASE [x] WHEN a THEN b ... [ELSE c] END: a call of condition, value, ..., else.
  Parsed case_when() {
    std::string operand;
    std::string_view comparison = "op:case";
    std::vector<ExprPtr> args;
    if (!cursor_.at_keyword("WHEN")) {
      comparison = "op:case of";  // the operand comes first, and values stand where conditions do
      TRY(ExprPtr of, disjunction());
      args.push_back(std::move(of));
    }
    if (!cursor_.at_keyword("WHEN")) return cursor_.unexpected_here("WHEN");
    while (cursor_.accept_keyword("WHEN")) {
      TRY(ExprPtr when, disjunction());
      TRY_VOID(cursor_.expect_keyword("THEN"));
      TRY(ExprPtr then, disjunction());
      args.push_back(std::move(when));
      args.push_back(std::move(then));
    }
    ExprPtr otherwise;
    if (cursor_.accept_keyword("ELSE")) {
      TRY(otherwise, disjunction());
    } else {
      TRY(otherwise, node(Expr::Kind::Null, ""));
    }
    args.push_back(std::move(otherwise));
    TRY_VOID(cursor_.expect_keyword("END"));
    return node(Expr::Kind::Call, std::string(comparison), std::move(args));
  }

  Parsed cast() {
    cursor_.advance();
    cursor_.advance();
    TRY(ExprPtr inner, disjunction());
    TRY_VOID(cursor_.expect_keyword("AS"));
    TRY(const Type type, type_name());
    TRY_VOID(cursor_.expect_symbol(')'));
    return cast_to(std::move(inner), type);
  }
  Parsed cast_to(ExprPtr inner, const Type& type) {
    std::vector<ExprPtr> args;
    args.push_back(std::move(inner));
    TRY(ExprPtr expr, node(Expr::Kind::Cast, "", std::move(args)));
    expr->type = type;
    return expr;
  }

  SqlResult<Type> type_name() {
    TypeSpec spec;
    const std::size_t begin = cursor_.current().begin;
    TRY(spec.word, cursor_.expect_name("a type"));
    for (char& c : spec.word) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    if (cursor_.accept_symbol('(')) {
      do {
        TRY(const std::uint32_t argument, cursor_.expect_number("a number"));
        if (spec.arguments.size() == 2) return cursor_.unexpected_here("')'");
        spec.arguments.push_back(argument);
      } while (cursor_.accept_symbol(','));
      TRY_VOID(cursor_.expect_symbol(')'));
    }
    if ((spec.word == "VARCHAR" || spec.word == "CHAR") && spec.arguments.empty()) spec.word = "STRING";
    spec.text = cursor_.text_since(begin);
    return resolve_type(spec, "CAST");
  }

  SqlCursor cursor_;
  std::size_t nodes_ = 0;
  unsigned nesting_ = 0;
};

SqlResult<> check_size(std::string_view text) {
  if (text.size() <= kExpressionBytesMax) return {};
  return sql_error(fmt::format("an expression of more than {} bytes", kExpressionBytesMax));
}

}  // namespace

SqlResult<ExprPtr> parse_expression(std::string_view text) {
  TRY_VOID(check_size(text));
  return Parser(text).whole();
}

SqlResult<std::vector<ColumnItem>> parse_column_items(std::string_view text) {
  TRY_VOID(check_size(text));
  return Parser(text).items();
}

}  // namespace penstock::txn
