// Pieces of a picture in SVG, styled by class, for every plot that follows a reader's light or dark scheme. Coordinates
// in pixels from the upper left corner. For .cc files of this room.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace auxbench::svg {

// "12.5": one digit, as all coordinates are written.
std::string at(double value);

std::string text_at(double x, double y, const std::string& attributes, const std::string& text);  // escaped here
std::string line_at(double x1, double y1, double x2, double y2, const std::string& style);
std::string circle_at(double x, double y, double radius, const std::string& style);
std::string shape(const std::vector<std::pair<double, double>>& corners, const std::string& style);
// A line through the points, not closed.
std::string path(const std::vector<std::pair<double, double>>& points, const std::string& style);

// The whole picture: `style` is a <style> element, `body` what is drawn on a ground of class "paper".
std::string picture(double width, double height, const std::string& title, const std::string& style,
                    const std::string& body);

// Whole multiples of 1, 2 or 5 times a power of ten from `low` to `high`, at most nine. low < high.
std::vector<double> ticks(double low, double high);
// "+2", "-0.5", "0".
std::string tick_text(double value);

// Class of one of eight lines or marks beside one another, "c0" to "c7" and again, and the <style> element that has
// them, with "paper", "ink", "faint", "grid", "zero" and, of a path beside its colour, "line" and "line dashed". Colours
// stay apart for colour-blind eyes (Okabe, Ito).
std::string colour_class(size_t index);
std::string colour_style();

}  // namespace auxbench::svg
