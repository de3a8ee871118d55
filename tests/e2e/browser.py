"""The pages in a real browser: what a person sees and does, with a keyboard, in the dark, without
JavaScript. Debian's chromium, driven by selenium.

    browser.py URL PLACE    PLACE has commands that change the world: push-five, push-one, break-one

Prints one line for each check, as the scripts beside it do; exits with 1 when one failed.
"""
import json
import subprocess
import sys
import time
from urllib.parse import urlsplit

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

URL, PLACE = sys.argv[1], sys.argv[2]
DEPLOYMENT = "/deployments/fleet/shop"
failures = 0


def check(what, good, seen=""):
    global failures
    print(("ok - " if good else "not ok - ") + what, flush=True)
    if not good:
        failures += 1
        print("  seen: %s" % str(seen)[:2000], flush=True)


def eventually(seconds, test):
    """The first true value of TEST, or its last; what is replaced meanwhile is no error."""
    until = time.monotonic() + seconds
    while True:
        try:
            value = test()
        except Exception as error:  # a stale element, mostly
            value = None
            if time.monotonic() > until:
                print("  last: %s" % str(error).splitlines()[0])
        if value or time.monotonic() > until:
            return value
        time.sleep(0.1)


def start(javascript=True, size="1280,900"):
    options = Options()
    options.binary_location = "/usr/bin/chromium"
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                     "--no-proxy-server", "--window-size=" + size,
                     "--user-data-dir=%s/profile%d" % (PLACE, javascript)):
        options.add_argument(argument)
    if not javascript:
        options.add_experimental_option(
            "prefs", {"profile.managed_default_content_settings.javascript": 2})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    browser = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)
    browser.set_page_load_timeout(60)
    parts = urlsplit(URL)
    browser.get("%s://anybody:viewer-token@%s/runs" % (parts.scheme, parts.netloc))
    return browser


def change(command):
    subprocess.run(["%s/%s" % (PLACE, command)], check=True, timeout=60)


def find(browser, selector):
    return browser.find_element(By.CSS_SELECTOR, selector)


def click(browser, selector):
    """What is replaced between finding and clicking is found again."""
    def once():
        find(browser, selector).click()
        return True
    check("there is %s to click" % selector, eventually(5, once), browser.page_source)


def texts(browser, selector):
    return browser.execute_script(
        "return Array.from(document.querySelectorAll(arguments[0]), (one) => one.textContent)",
        selector)


def servers(browser):
    return [text for text in texts(browser, ".server.passing, .server.up")]


def is_at(browser, path):
    return urlsplit(browser.current_url).path == path


def approve(browser, token):
    field = eventually(5, lambda: find(browser, "#approve-token"))
    if not field:
        check("there is a field for the token", False, browser.page_source)
        sys.exit(1)
    field.clear()
    field.send_keys(token + Keys.ENTER)


# Contrast of every text with what is behind it, as WCAG reckons it; what is under 4.5.
CONTRAST = """
const parse = (colour) => colour.match(/[\\d.]+/g).map(Number);
const light = (colour) => {
  const [r, g, b] = colour.slice(0, 3).map((c) => c / 255)
    .map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const behind = (element) => {
  for (let at = element; at; at = at.parentElement) {
    const colour = parse(getComputedStyle(at).backgroundColor);
    if (colour.length < 4 || colour[3] > 0) return colour;
  }
  return [255, 255, 255];
};
const poor = [];
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const element = walker.currentNode.parentElement;
  if (!walker.currentNode.data.trim() || element.closest('.skip, .unseen, [hidden]')) continue;
  const one = light(parse(getComputedStyle(element).color)), other = light(behind(element));
  const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
  if (ratio < 4.5) poor.push(`${ratio.toFixed(2)} ${element.className || element.tagName} ` +
    walker.currentNode.data.trim());
}
return poor;
"""

# What a screen reader could not tell.
NAMELESS = """
const found = [];
const ids = Array.from(document.querySelectorAll('[id]'), (one) => one.id);
if (new Set(ids).size !== ids.length) found.push('ids twice: ' + ids);
if (document.querySelectorAll('h1').length !== 1) found.push('not one h1');
if (!document.documentElement.lang) found.push('no language');
document.querySelectorAll('input').forEach((one) => one.labels.length || found.push(one.outerHTML));
document.querySelectorAll('a, button, summary').forEach((one) =>
  one.textContent.trim() || found.push(one.outerHTML));
document.querySelectorAll('table').forEach((one) =>
  one.caption && one.querySelector('th[scope]') || found.push('a table without caption or heads'));
document.querySelectorAll('.server').forEach((one) =>
  /[a-z]/.test(one.textContent) || found.push('colour alone: ' + one.outerHTML));
return found;
"""


def look_closely(browser, what):
    for scheme in ("light", "dark"):
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {
            "features": [{"name": "prefers-color-scheme", "value": scheme}]})
        poor = browser.execute_script(CONTRAST)
        check("%s can be read, %s" % (what, scheme), not poor, poor)
    found = browser.execute_script(NAMELESS)
    check("%s has names for a screen reader" % what, not found, found)
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
        "width": 380, "height": 800, "deviceScaleFactor": 1, "mobile": False})
    wide = browser.execute_script("return document.documentElement.scrollWidth")
    check("%s fits a narrow screen" % what, wide <= 380, wide)
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def errors(browser):
    return [one["message"] for one in browser.get_log("browser") if one["level"] == "SEVERE"]


def test_clicks(browser):
    browser.get(URL + "/")
    background = []
    for scheme in ("light", "dark"):
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {
            "features": [{"name": "prefers-color-scheme", "value": scheme}]})
        background.append(browser.execute_script(
            "return getComputedStyle(document.body).backgroundColor"))
    check("dark is another page than light", background[0] != background[1], background)
    check("the overview has the deployments", "shop" in texts(browser, "tbody th a"),
          browser.page_source)
    look_closely(browser, "the overview")
    click(browser, 'tbody a[href="%s"]' % DEPLOYMENT)
    check("a click leads to a deployment", is_at(browser, DEPLOYMENT), browser.current_url)
    check("with its balancer", texts(browser, ".flow .node h3")[0].startswith("edge"),
          texts(browser, ".flow .node h3"))
    check("and its servers", len(servers(browser)) == 3, servers(browser))
    look_closely(browser, "a deployment")
    click(browser, 'tbody a[href^="/runs/"]')
    check("a click leads to its run", "Run" in find(browser, "h1").text, browser.current_url)
    check("with the steps", any("create web-0" in text for text in texts(browser, "td")),
          texts(browser, "td"))
    look_closely(browser, "a run")
    click(browser, 'nav a[href="/accounts"]')
    click(browser, 'main a[href="/accounts/fleet"]')
    shown = eventually(20, lambda: find(browser, "main").text)
    check("an account's offers", "spare" in shown and "i-legacy" in shown, shown)
    look_closely(browser, "the accounts")


def test_live(browser):
    browser.get(URL + DEPLOYMENT)
    check("the page is connected",
          eventually(10, lambda: find(browser, "#live").get_attribute("class") == "on"),
          find(browser, "#live").text)
    browser.execute_script("""
        window.steps = new Set();
        new MutationObserver(() => document.querySelectorAll('#progress li').forEach((one) =>
          window.steps.add(one.textContent))).observe(document.body, {childList: true, subtree: true});
    """)
    change("push-five")
    check("a push shows without a reload", eventually(30, lambda: len(servers(browser)) == 5),
          browser.page_source)
    steps = browser.execute_script("return Array.from(window.steps || [])")
    check("and its steps while it runs", any("create web-4" in one for one in steps), steps)
    check("nothing went wrong in the browser", not errors(browser), errors(browser))


def test_drift(browser):
    browser.get(URL + DEPLOYMENT)
    change("break-one")
    drift = eventually(20, lambda: [text for text in texts(browser, "#drift ~ .table tr")
                                    if "old-template" in text])
    check("drift shows as desired and observed", drift and "web-1" in drift[0], browser.page_source)
    check("in its class", "changed" in texts(browser, "#drift ~ .table caption .word"),
          texts(browser, "#drift ~ .table caption"))
    check("with the plan that mends it",
          any("delete web-" in text for text in texts(browser, ".diff .delete .what")),
          texts(browser, ".diff .what"))
    look_closely(browser, "a deployment that drifted")


def test_approval(browser):
    browser.get(URL + DEPLOYMENT)
    change("push-one")
    check("a held plan asks for approval",
          eventually(30, lambda: browser.find_elements(By.ID, "approve-token")), browser.page_source)
    check("what would go is marked", eventually(10, lambda: texts(browser, ".diff .held .what")),
          texts(browser, ".diff li"))
    look_closely(browser, "a held plan")
    check("nothing went wrong in the browser", not errors(browser), errors(browser))
    for token in ("wrong-token", "viewer-token"):
        approve(browser, token)
        eventually(5, lambda: browser.find_elements(By.CSS_SELECTOR, ".problem"))
        check("%s does not do" % token, "token of an operator" in find(browser, "main").text,
              find(browser, "main").text)
        browser.get(URL + DEPLOYMENT)
    check("and nothing happened", len(texts(browser, ".server")) == 5, texts(browser, ".server"))
    approve(browser, "operator-token")
    check("an operator's leads to the run",
          eventually(10, lambda: urlsplit(browser.current_url).path.startswith("/runs/")),
          browser.current_url)
    browser.get(URL + DEPLOYMENT)
    check("and it is done", eventually(30, lambda: len(texts(browser, ".server")) == 1),
          texts(browser, ".server"))


def test_keyboard(browser):
    def press(*keys):
        for key in keys:
            webdriver.ActionChains(browser).send_keys(key).perform()

    def focused():
        return browser.execute_script("return document.activeElement.textContent.trim() ||"
                                      " document.activeElement.id")

    browser.get(URL + "/")
    press(Keys.TAB)
    check("the first key leads past the head", focused().startswith("Skip"), focused())
    seen = []
    for _ in range(40):
        press(Keys.TAB)
        seen.append(focused())
        if seen[-1] == "shop":
            break
    check("a deployment is reached by Tab", seen[-1] == "shop", seen)
    outline = browser.execute_script("return getComputedStyle(document.activeElement).outlineStyle")
    check("and it shows where one is", outline == "solid", outline)
    press(Keys.ENTER)
    check("and opened by Enter", eventually(5, lambda: is_at(browser, DEPLOYMENT)),
          browser.current_url)


def test_without_javascript():
    browser = start(javascript=False)
    try:
        browser.get(URL + "/")
        check("without JavaScript there is the overview",
              "shop" in find(browser, "tbody").text, browser.page_source)
        click(browser, 'tbody a[href="%s"]' % DEPLOYMENT)
        check("and a deployment", is_at(browser, DEPLOYMENT), browser.current_url)
        click(browser, "#check summary")
        find(browser, "#check-token").send_keys("operator-token" + Keys.ENTER)
        check("and what it does", eventually(5, lambda: is_at(browser, DEPLOYMENT)
                                             and find(browser, "h1").text == "shop"),
              browser.page_source)
    finally:
        browser.quit()


def main():
    browser = start()
    try:
        test_clicks(browser)
        test_live(browser)
        test_keyboard(browser)
        test_drift(browser)
        test_approval(browser)
    finally:
        browser.quit()
    test_without_javascript()
    return 1 if failures else 0


sys.exit(main())
