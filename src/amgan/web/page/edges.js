// Edges of a list that fade where it goes on, so that one sees that it scrolls.

/** Keep the faded edges of a list that scrolls right; returns a function that does so at once. */
export function fadeEdges(list) {
  const update = () => {
    const { scrollTop, scrollLeft, scrollWidth, scrollHeight, clientWidth, clientHeight } = list;
    const sides = {
      "fade-top": scrollTop > 1,
      "fade-bottom": scrollTop + clientHeight < scrollHeight - 1,
      "fade-left": scrollLeft > 1,
      "fade-right": scrollLeft + clientWidth < scrollWidth - 1,
    };
    for (const [name, on] of Object.entries(sides)) list.classList.toggle(name, on);
  };
  list.addEventListener("scroll", update, { passive: true });
  new ResizeObserver(update).observe(list);
  return update;
}
