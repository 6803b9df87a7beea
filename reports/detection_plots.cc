#include "reports/detection_plots.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/format.h"
#include "reports/detection_model.h"
#include "reports/svg.h"
#include "reports/xml_syntax.h"

namespace auxbench {
namespace {

using Panels = std::vector<DetectionPanel>;

constexpr double kPageWidth = 1000, kMargin = 16, kPageHead = 84, kLegendLine = 16;

// Every panel that a picture has room for, and a line that says so where there are more.
Panels drawn_panels(const ReportInput& input, size_t& left_out) {
  auto panels = detection_panels(input.plan, input.records);
  left_out = panels.size() > kMostPanels ? panels.size() - kMostPanels : 0;
  panels.resize(panels.size() - left_out);
  return panels;
}

std::string page_head(const Plan& plan, const std::string& what, size_t left_out) {
  const auto title = wrapped(plan.title, 105, 1);
  std::string text =
      svg::text_at(kMargin, 26, "class=\"ink\" font-size=\"16\" font-weight=\"600\"", title.empty() ? "" : title[0]);
  std::string tier = what + ". Tier " + plan.tier;
  if (plan.proxy) tier += ", a proxy: " + plan.proxy_reason;
  if (left_out > 0) tier += ". Rows not drawn: " + std::to_string(left_out);
  const auto lines = wrapped(tier, 150, 2);
  for (size_t i = 0; i < lines.size(); ++i)
    text += svg::text_at(kMargin, 46 + 16 * static_cast<double>(i), "class=\"faint\"", lines[i]);
  return text;
}

std::string panel_title(const DetectionPanel& panel, double x, double y, size_t letters) {
  std::string text;
  const auto table = wrapped(panel.table, letters, 1), row = wrapped(panel.row, letters, 1);
  if (!table.empty()) text += svg::text_at(x, y, "class=\"faint\" font-size=\"11\"", table[0]);
  if (!row.empty()) text += svg::text_at(x, y + 15, "class=\"ink\" font-weight=\"600\"", row[0]);
  return text;
}

double mean_of(const std::vector<double>& curve) {
  double sum = 0;
  for (const double value : curve) sum += value;
  return sum / static_cast<double>(curve.size());
}

// Three panels side by side, each a square of recall and precision with its legend below.
class PrecisionPage {
 public:
  explicit PrecisionPage(const ReportInput& input) : plan_(input.plan), panels_(drawn_panels(input, left_out_)) {}

  [[nodiscard]] std::string render() const {
    if (panels_.empty()) return {};
    double y = kPageHead;
    auto body =
        page_head(plan_, "Precision over recall, mean over categories: IoU .5, dashed .75; AP50 / AP75", left_out_);
    for (size_t first = 0; first < panels_.size(); first += kBeside) {
      const size_t last = std::min(panels_.size(), first + kBeside);
      size_t most = 0;
      for (size_t i = first; i < last; ++i) most = std::max(most, panels_[i].lines.size());
      for (size_t i = first; i < last; ++i)
        body += draw(panels_[i], kMargin + static_cast<double>(i - first) * (kSide + kBetween), y);
      y += kPanelHead + kSide + kPanelFoot + kLegendLine * static_cast<double>(most) + kBetween;
    }
    return svg::picture(kPageWidth, y, plan_.title + ": precision over recall", svg::colour_style(), body);
  }

 private:
  static constexpr size_t kBeside = 3;
  static constexpr double kSide = 290, kBetween = 40, kPanelHead = 30, kPanelFoot = 40, kAxis = 30;

  [[nodiscard]] static std::string draw(const DetectionPanel& panel, double left, double top) {
    const double x0 = left + kAxis, y0 = top + kPanelHead, width = kSide - kAxis, height = kSide;
    const auto x = [&](double recall) { return x0 + recall / 100 * width; };
    const auto y = [&](double precision) { return y0 + (1 - precision / 100) * height; };
    std::string text = panel_title(panel, left, top + 4, 44);
    for (const double tick : {0.0, 25.0, 50.0, 75.0, 100.0}) {
      const auto style = tick == 0 ? "zero" : "grid";
      text += svg::line_at(x(tick), y0, x(tick), y0 + height, style) +
              svg::line_at(x0, y(tick), x0 + width, y(tick), style);
      text += svg::text_at(x0 - 5, y(tick) + 4, "class=\"faint\" font-size=\"11\" text-anchor=\"end\"",
                           number_text(tick, 0));
      text += svg::text_at(x(tick), y0 + height + 14, "class=\"faint\" font-size=\"11\" text-anchor=\"middle\"",
                           number_text(tick, 0));
    }
    text += svg::text_at(x0 + width / 2, y0 + height + 28, "class=\"faint\" font-size=\"11\" text-anchor=\"middle\"",
                         "recall, %");
    double line_y = y0 + height + kPanelFoot + 6;
    for (const auto& line : panel.lines) {
      for (size_t c = 0; c < line.mean.precision.size(); ++c) {
        std::vector<std::pair<double, double>> points;
        for (size_t i = 0; i < kCurvePoints; ++i)
          points.emplace_back(x(static_cast<double>(i)), y(line.mean.precision[c][i]));
        text += svg::path(points, svg::colour_class(line.place) + (c == 0 ? " line" : " line dashed"));
      }
      text += svg::path({{x0, line_y - 4}, {x0 + 22, line_y - 4}}, svg::colour_class(line.place) + " line");
      // Numbers first: it is a long name that is cut.
      const auto label = wrapped(number_text(mean_of(line.mean.precision[0])) + " / " +
                                     number_text(mean_of(line.mean.precision[1])) + ": " + title_with_runs(line),
                                 46, 1);
      text += svg::text_at(x0 + 30, line_y, "class=\"ink\" font-size=\"11\"", label.empty() ? "" : label[0]);
      line_y += kLegendLine;
    }
    return text;
  }

  size_t left_out_ = 0;
  const Plan& plan_;
  Panels panels_;
};

// Panels below one another: a line a category, a mark a column.
class CategoryPage {
 public:
  explicit CategoryPage(const ReportInput& input) : plan_(input.plan), panels_(drawn_panels(input, left_out_)) {
    std::erase_if(panels_, [](const DetectionPanel& panel) { return !panel.reference || panel.lines.size() < 2; });
  }

  [[nodiscard]] std::string render() const {
    if (panels_.empty()) return {};
    double y = kPageHead;
    auto body = page_head(plan_, "AP of each category less full precision's, in points, means over seeds", left_out_);
    for (const auto& panel : panels_) body += draw(panel, y);
    return svg::picture(kPageWidth, y, plan_.title + ": AP of each category against full precision",
                        svg::colour_style(), body);
  }

 private:
  static constexpr double kLabels = 190, kLine = 18, kPanelHead = 50, kPanelFoot = 44;

  // Draws from `y` on and moves it below.
  [[nodiscard]] static std::string draw(const DetectionPanel& panel, double& y) {
    double low = -1, high = 1;
    const auto& categories = panel.lines.front().mean.categories;
    for (size_t line = 0; line < panel.lines.size(); ++line)
      for (size_t i = 0; i < categories.size(); ++i) {
        const double value = category_difference(panel, panel.lines[line], i).value_or(0);
        low = std::min(low, value);
        high = std::max(high, value);
      }
    const double margin = (high - low) * 0.04, left = kMargin + kLabels, width = kPageWidth - kMargin - left;
    low -= margin;
    high += margin;
    const auto x = [&](double value) { return left + (value - low) / (high - low) * width; };
    double below_legend = y + kPanelHead - kLegendLine;
    auto text = panel_title(panel, kMargin, y + 4, 120) + legend(panel, below_legend);
    const double top = below_legend + kLegendLine, bottom = top + kLine * static_cast<double>(categories.size());
    for (const double tick : svg::ticks(low, high)) {
      text += svg::line_at(x(tick), top, x(tick), bottom, tick == 0 ? "zero" : "grid");
      text += svg::text_at(x(tick), bottom + 16, "class=\"faint\" font-size=\"11\" text-anchor=\"middle\"",
                           svg::tick_text(tick));
    }
    for (size_t i = 0; i < categories.size(); ++i) {
      const double middle = top + kLine * (static_cast<double>(i) + 0.5);
      const auto label = wrapped(categories[i], 26, 1);
      text += svg::text_at(kMargin, middle + 4, "class=\"ink\"", label.empty() ? "" : label[0]);
      for (size_t line = 0; line < panel.lines.size(); ++line)
        if (const auto value = category_difference(panel, panel.lines[line], i); value && line != *panel.reference)
          text += svg::circle_at(x(*value), middle, 4, svg::colour_class(panel.lines[line].place));
    }
    y = bottom + kPanelFoot;
    return text;
  }

  // Of the marks, in as many lines as they take; `y` is where the first stands and moves to the last.
  static std::string legend(const DetectionPanel& panel, double& y) {
    constexpr double kMark = 26, kLetter = 6.2, kFirst = kMargin + kLabels;
    std::string text;
    double x = kFirst;
    for (size_t line = 0; line < panel.lines.size(); ++line) {
      if (line == *panel.reference) continue;
      const auto label = wrapped(title_with_runs(panel.lines[line]), 40, 1);
      const std::string shown = label.empty() ? "" : label[0];
      const double width = kMark + kLetter * static_cast<double>(shown.size());
      if (x > kFirst && x + width > kPageWidth - kMargin) {
        x = kFirst;
        y += kLegendLine;
      }
      text += svg::circle_at(x, y - 4, 4, svg::colour_class(panel.lines[line].place));
      text += svg::text_at(x + 9, y, "class=\"ink\" font-size=\"11\"", shown);
      x += width;
    }
    return text;
  }

  size_t left_out_ = 0;
  const Plan& plan_;
  Panels panels_;
};

}  // namespace

std::string render_precision_plot(const ReportInput& input) { return PrecisionPage(input).render(); }

std::string render_category_plot(const ReportInput& input) { return CategoryPage(input).render(); }

}  // namespace auxbench
