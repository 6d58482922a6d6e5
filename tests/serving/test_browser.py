"""The page at `/` in a browser, as people use it; skipped where there is no Chromium with its driver."""

import io
import re
import shutil
import time

import pytest
import torch

from pystyle.encoders import vgg11
from pystyle.images import write_image
from pystyle.serving import Limits

pytest.importorskip("selenium")

from selenium import webdriver
from selenium.webdriver.chrome.service import Service as Driver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select

pytestmark = pytest.mark.slow

KEY = "0123456789abcdef"


@pytest.fixture(scope="module")
def chromium():
    """A browser without a window."""
    browsers = ("chromium", "chromium-browser", "google-chrome")
    browser = next(filter(None, map(shutil.which, browsers)), None)
    driver = shutil.which("chromedriver")
    if browser is None or driver is None:
        pytest.skip("needs Chromium and its driver: `apt-get install chromium chromium-driver`")
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    # Without a sandbox, for containers run as root and have no namespaces; no page of others is read.
    for argument in ("headless=new", "no-sandbox", "disable-dev-shm-usage", "window-size=1280,900"):
        options.add_argument(f"--{argument}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    found = webdriver.Chrome(options=options, service=Driver(driver))
    yield found
    found.quit()


class Page:
    """The page of one tab."""

    def __init__(self, browser, address):
        self.browser = browser
        browser.get(address)

    def find(self, name):
        return self.browser.find_element(By.ID, name)

    def until(self, condition, seconds=200):
        """Wait until something holds."""
        end = time.monotonic() + seconds
        while not (found := condition()):
            assert time.monotonic() < end, (self.status, self.problem)
            time.sleep(0.05)
        return found

    @property
    def status(self):
        return self.find("status").text

    @property
    def problem(self):
        return self.find("problem").text

    @property
    def focus(self):
        return self.browser.switch_to.active_element.get_attribute("id")

    @property
    def level(self):
        """The mean level of the picture that is shown."""
        return self.browser.execute_script(
            "const canvas = document.createElement('canvas'); canvas.width = canvas.height = 1;"
            "const context = canvas.getContext('2d'), image = document.getElementById('after');"
            "if (!image.complete || !image.naturalWidth) return -1;"
            "context.drawImage(image, 0, 0, 1, 1); return context.getImageData(0, 0, 1, 1).data[0];"
        )

    def shows(self, level):
        """Wait until the picture has a level; that of a file of JPEG is rounded."""
        self.until(lambda: abs(self.level - level) <= 2)

    def style(self, name):
        self.browser.find_element(By.CSS_SELECTOR, f"input[value='{name}']").send_keys(Keys.SPACE)

    def press(self, *keys):
        for key in keys:
            webdriver.ActionChains(self.browser).send_keys(key).perform()

    def begin(self, steps):
        """Wait for the page, and choose a picture that is smaller than any that it offers."""
        self.until(lambda: self.find("main").is_displayed())
        self.browser.execute_script("document.getElementById('size').options[0].value = 64")
        self.choose(size="64", refine_steps=steps)

    @property
    def is_stepping(self):
        return re.search("Step [1-9]", self.find("steps").text)

    def choose(self, **values):
        for name, value in values.items():
            Select(self.find(name.replace("_", "-"))).select_by_value(value)


@pytest.fixture
def file(flat, tmp_path):
    """A function that gives the path of a picture of one level."""

    def path(level, height=128, width=160):
        found = tmp_path / f"flat-{level}.png"
        found.write_bytes(flat(level, height, width))
        return str(found)

    return path


@pytest.fixture
def painting(tmp_path):
    image = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    write_image(image, tmp_path / "painting.png")
    return str(tmp_path / "painting.png")


@pytest.fixture
def opened(chromium, make, listening):
    """The page of a service, and the service. At the end nothing was logged but what the network refused."""
    service = make(encoder=vgg11(weights=None, seed=1))
    with listening(service) as port:
        page = Page(chromium, f"http://127.0.0.1:{port}/")
        page.begin("best")
        yield page, service
        logged = [line for line in chromium.get_log("browser") if line["source"] != "network"]
        chromium.get("about:blank")
    assert logged == []


def test_a_photograph_is_painted_at_once_and_again_with_each_setting(opened, file):
    page, _ = opened
    page.find("photograph").send_keys(file(51))
    page.style("named/white")
    page.shows(153)
    assert page.find("download").get_attribute("download") == "flat-51-white.jpg"
    page.find("strength").send_keys(Keys.ARROW_LEFT * 10)
    page.shows(102)
    assert page.find("strength-value").text == "50 %"
    page.find("strength").send_keys(Keys.END)
    page.choose(second="named/black")
    page.shows(89)  # (51 + 127.5) / 2
    page.find("blend").send_keys(Keys.END)
    page.shows(25)
    page.choose(second="")
    page.shows(153)
    assert not page.find("refine").is_enabled()
    assert "needs a painting" in page.find("refine-hint").text


def test_learned_styles_are_shown_in_the_photograph(opened, file):
    page, _ = opened
    page.find("photograph").send_keys(file(51))
    images = page.browser.find_elements(By.CSS_SELECTOR, ".tile img")
    page.until(lambda: all(image.is_displayed() for image in images))
    assert len(images) == 2


def test_a_painting_is_refined_step_by_step(opened, file, painting):
    page, service = opened
    page.choose(refine_steps="draft")
    page.find("photograph").send_keys(file(51))
    page.find("painting").send_keys(painting)
    page.until(lambda: page.status == "Painted by the network.")
    network = page.find("after").get_attribute("src")
    page.find("refine").click()
    page.until(lambda: page.find("after").get_attribute("src").startswith("data:image/jpeg"))
    assert page.find("progress-row").is_displayed()
    assert not page.find("strength").is_enabled()
    page.until(lambda: page.status == "Refined in 16 steps.")
    assert page.find("after").get_attribute("src") not in ("", network)
    assert page.find("download").get_attribute("download") == "flat-51-painting.png"
    assert len(page.browser.find_elements(By.CSS_SELECTOR, "#kept a")) == 1
    assert page.browser.execute_script("return document.getElementById('after').naturalWidth") == 80
    assert page.find("strength").is_enabled()
    # What was refined stays below when another one is painted.
    page.style("named/white")
    page.shows(153)
    assert len(page.browser.find_elements(By.CSS_SELECTOR, "#kept a")) == 1
    assert service.jobs.count == 0


def test_a_refinement_is_cancelled_and_the_picture_is_that_of_the_network(opened, file, painting):
    page, service = opened
    page.find("photograph").send_keys(file(51))
    page.find("painting").send_keys(painting)
    page.until(lambda: page.status == "Painted by the network.")
    level = page.level
    page.find("refine").click()
    page.until(lambda: page.is_stepping)
    assert service.jobs.count == 1
    page.find("cancel").click()
    page.until(lambda: page.status == "The refinement was cancelled.")
    page.shows(level)
    assert not page.problem
    page.until(lambda: service.jobs.count == 0)
    assert page.find("refine").is_enabled()


def test_a_job_ends_with_its_page(opened, file, painting):
    page, service = opened
    page.find("photograph").send_keys(file(51))
    page.find("painting").send_keys(painting)
    page.until(lambda: page.status == "Painted by the network.")
    page.find("refine").click()
    page.until(lambda: page.is_stepping)
    page.browser.get("about:blank")
    end = time.monotonic() + 30
    while service.jobs.count:
        assert time.monotonic() < end
        time.sleep(0.05)


def test_what_is_wrong_is_said_with_the_sentence_of_the_service(opened, file, tmp_path):
    page, _ = opened
    (tmp_path / "text.png").write_text("no picture")
    page.style("named/white")
    page.find("photograph").send_keys(str(tmp_path / "text.png"))
    page.until(lambda: page.problem == "`content` must be a picture in one of the formats JPEG, PNG, WebP.")
    assert page.find("problem").get_attribute("role") == "alert"
    assert not page.find("compare").is_displayed()
    page.find("photograph").send_keys(file(51))
    page.shows(153)
    assert not page.problem
    page.find("painting").send_keys(str(tmp_path / "text.png"))
    page.until(lambda: page.problem == "`style` must be a picture in one of the formats JPEG, PNG, WebP.")
    assert len(page.browser.find_elements(By.CSS_SELECTOR, ".tile")) == 2


def test_a_service_that_has_ended_is_said(chromium, make, listening, file):
    with listening(make()) as port:
        page = Page(chromium, f"http://127.0.0.1:{port}/")
        page.until(lambda: page.find("main").is_displayed())
        page.style("named/white")
    page.find("photograph").send_keys(file(51))
    page.until(lambda: page.problem == "The service does not answer. Try again when it is there.")


def test_a_refinement_goes_on_when_the_service_is_back(chromium, make, listening, file, painting, tmp_path):
    def service():
        return make(encoder=vgg11(weights=None, seed=1), folder=tmp_path / "state")

    with listening(service()) as port:
        page = Page(chromium, f"http://127.0.0.1:{port}/")
        page.begin("standard")
        page.find("photograph").send_keys(file(51))
        page.find("painting").send_keys(painting)
        page.until(lambda: page.status == "Painted by the network.")
        page.find("refine").click()
        page.until(lambda: page.is_stepping)
    page.until(lambda: page.status.startswith("The service does not answer."))
    with listening(service(), port):
        page.until(lambda: page.status == "Refined in 40 steps.")
        assert not page.problem
        assert page.find("download").get_attribute("download") == "flat-51-painting.png"


def test_a_photograph_is_refined_without_a_network_until_the_limit(chromium, make, listening, file, painting):
    networks = {"named": make().networks["named"]}
    service = make(encoder=vgg11(weights=None, seed=1), networks=networks, limits=Limits(job_seconds=0.01))
    with listening(service) as port:
        page = Page(chromium, f"http://127.0.0.1:{port}/")
        page.begin("draft")
        page.find("photograph").send_keys(file(51))
        page.find("painting").send_keys(painting)
        page.until(lambda: page.status.startswith("No network of this service paints in the style"))
        page.find("refine").click()
        page.until(lambda: page.status == "Refined in 1 step. The job has reached its limit of 0.01 s.")
        assert len(page.browser.find_elements(By.CSS_SELECTOR, "#kept a")) == 1


def test_a_refinement_that_fails_says_why(opened, file, painting, monkeypatch):
    def fail(*_):
        raise ValueError("The painting has no colours.")

    monkeypatch.setattr("pystyle.serving._jobs.run_job", fail)
    page, _ = opened
    page.find("photograph").send_keys(file(51))
    page.find("painting").send_keys(painting)
    page.until(lambda: page.status == "Painted by the network.")
    page.find("refine").click()
    page.until(lambda: page.problem == "The painting has no colours.")
    assert page.find("compare").is_displayed()
    assert page.find("refine").is_enabled()


def test_two_tabs_do_not_disturb_each_other(opened, file, painting):
    first, service = opened
    tabs = [first.browser.current_window_handle]
    first.choose(refine_steps="standard")
    first.find("photograph").send_keys(file(51))
    first.find("painting").send_keys(painting)
    first.until(lambda: first.status == "Painted by the network.")
    address = first.browser.current_url
    first.find("refine").click()
    first.until(lambda: first.is_stepping)
    first.browser.switch_to.new_window("tab")
    try:
        second = Page(first.browser, address)
        second.begin("draft")
        # And no painting of the other.
        assert len(second.browser.find_elements(By.CSS_SELECTOR, ".tile")) == 2
        second.find("photograph").send_keys(file(201))
        second.style("named/black")
        second.shows(100)
        second.browser.close()
    finally:
        first.browser.switch_to.window(tabs[0])
    first.until(lambda: first.status == "Refined in 40 steps.")
    assert first.find("download").get_attribute("download") == "flat-51-painting.png"
    assert service.jobs.count == 0


def test_the_keyboard_is_enough(opened, file, painting):
    page, service = opened
    page.find("photograph").send_keys(file(51))
    page.find("painting").send_keys(painting)
    page.until(lambda: page.status == "Painted by the network.")
    page.browser.execute_script("document.getElementById('photograph').focus()")
    order = [page.focus]
    while order[-1] != "colors" and len(order) < 20:
        page.press(Keys.TAB)
        order.append(page.focus)
    assert order == [
        "photograph",
        "",  # The style that is chosen.
        "painting",
        "divider",
        "refine",
        "refine-steps",
        "download",
        "strength",
        "second",
        "colors",
    ]
    page.browser.execute_script("document.getElementById('divider').focus()")
    page.press(Keys.HOME)
    assert page.find("line").value_of_css_property("left") == "-1.5px"
    assert page.find("divider").get_attribute("aria-valuetext") == "0 % photograph"
    page.browser.execute_script("document.querySelector('.tile input:checked').focus()")
    page.press(Keys.ARROW_RIGHT)
    page.shows(25)
    page.press(Keys.ARROW_LEFT)
    page.until(lambda: page.find("refine").is_enabled() and page.status == "Painted by the network.")
    page.browser.execute_script("document.getElementById('refine').focus()")
    page.press(Keys.ENTER)
    page.until(lambda: page.focus == "cancel" and service.jobs.count == 1)
    page.press(Keys.ENTER)
    page.until(lambda: page.status == "The refinement was cancelled.")
    assert page.focus == "refine"


def test_a_dropped_file_is_taken_where_it_falls(opened, flat):
    page, _ = opened
    drop = (
        "const bytes = Uint8Array.from(arguments[1]), data = new DataTransfer();"
        "data.items.add(new File([bytes], arguments[2], {type: 'image/png'}));"
        "const event = new DragEvent('drop', {dataTransfer: data, bubbles: true, cancelable: true});"
        "document.getElementById(arguments[0]).dispatchEvent(event); return event.defaultPrevented;"
    )
    execute = page.browser.execute_script
    assert execute(drop, "photograph-drop", list(flat(50, 64, 64)), "photo.png")
    assert execute(drop, "painting-drop", list(flat(150, 64, 64)), "grey.png")
    page.shows(100)
    assert execute(drop, "stage", list(flat(0, 64, 64)), "elsewhere.png")
    assert page.find("photograph-name").text == "photo.png"


def test_a_large_photograph_is_sent_as_a_smaller_one(opened, tmp_path):
    page, _ = opened
    stream = io.BytesIO()
    write_image(torch.full((1, 3, 2400, 2700), 51 / 255), stream)
    (tmp_path / "large.png").write_bytes(stream.getvalue())
    page.style("named/white")
    page.find("photograph").send_keys(str(tmp_path / "large.png"))
    page.shows(153)
    assert page.browser.execute_script("return document.getElementById('after').naturalWidth") == 72


def test_a_key_is_asked_for_and_sent(chromium, make, listening, file):
    with listening(make(api_keys=[KEY])) as port:
        page = Page(chromium, f"http://127.0.0.1:{port}/")
        page.until(lambda: page.find("key").is_displayed())
        assert page.focus == "key"
        assert not page.find("main").is_displayed()
        page.press("wrong", Keys.ENTER)
        page.until(lambda: "This service needs a key." in page.find("key-problem").text)
        page.find("key").clear()
        page.find("key").click()
        page.press(KEY, Keys.ENTER)
        page.until(lambda: page.find("main").is_displayed())
        assert not page.find("key-form").is_displayed()
        page.find("photograph").send_keys(file(51))
        page.style("named/white")
        page.shows(153)
        page.browser.refresh()
        page.until(lambda: page.find("main").is_displayed())


@pytest.mark.parametrize("width", [360, 800, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_each_width_and_scheme(opened, file, painting, width, scheme):
    page, _ = opened
    command = page.browser.execute_cdp_cmd
    measures = {"width": width, "height": 700, "deviceScaleFactor": 1, "mobile": False}
    features = {"prefers-color-scheme": scheme, "prefers-reduced-motion": "reduce"}
    command("Emulation.setDeviceMetricsOverride", measures)
    command(
        "Emulation.setEmulatedMedia", {"features": [{"name": a, "value": b} for a, b in features.items()]}
    )
    try:
        page.find("photograph").send_keys(file(51))
        page.find("painting").send_keys(painting)
        page.until(lambda: page.status == "Painted by the network.")
        script = "const page = document.documentElement; return [page.scrollWidth, page.clientWidth]"
        needed, there = page.browser.execute_script(script)
        assert needed <= there <= width
        body = page.browser.find_element(By.TAG_NAME, "body")
        ground, ink = (body.value_of_css_property(name) for name in ("background-color", "color"))
        brightness = [
            sum(int(part) for part in text.strip("rgba()").split(",")[:3]) for text in (ground, ink)
        ]
        assert (brightness[0] > brightness[1]) == (scheme == "light")
        tile = page.browser.find_element(By.CSS_SELECTOR, ".tile")
        assert tile.value_of_css_property("transition-duration") == "0s"
    finally:
        command("Emulation.clearDeviceMetricsOverride", {})
        command("Emulation.setEmulatedMedia", {"features": []})
