// Fetches the page again every five seconds and puts its figures in place of the old ones, while the box is ticked and the
// page is in sight. Without a script the page is the same, and reloading it does as well.
"use strict";
const follow = document.getElementById("follow");
async function again() {
  if (!follow.checked || document.hidden) return;
  try {
    const answer = await fetch(location.href, { headers: { accept: "text/html" }, cache: "no-store" });
    if (!answer.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("figures");
    if (fresh) document.getElementById("figures").replaceWith(fresh);
  } catch { /* the next look may succeed */ }
}
setInterval(again, 5000);
