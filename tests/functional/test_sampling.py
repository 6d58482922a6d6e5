from itertools import pairwise

import pytest
import torch

from pystyle.functional import grid_positions, random_directions


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def rows_and_columns(indices: torch.Tensor, width: int) -> tuple[list[int], list[int]]:
    return sorted({int(i) // width for i in indices}), sorted({int(i) % width for i in indices})


def test_a_grid_begins_in_the_middle_of_its_first_cell() -> None:
    assert grid_positions(4, 6, 6).tolist() == [7, 9, 11, 19, 21, 23]
    assert grid_positions(1, 100, 4).tolist() == [12, 37, 62, 87]


def test_all_positions_are_taken_if_as_many_are_wanted_or_none_is_said() -> None:
    for number in (12, 13, 10_000, None):
        assert grid_positions(3, 4, number).tolist() == list(range(12))
        assert grid_positions(3, 4, number, generator=seeded(5)).tolist() == list(range(12))


@pytest.mark.parametrize("size", [(1, 1), (1, 97), (97, 1), (5, 7), (31, 33), (64, 64), (128, 20), (3, 500)])
@pytest.mark.parametrize("number", [1, 2, 7, 60, 64, 1000])
def test_a_grid_is_regular_and_has_at_most_as_many_positions_as_are_wanted(
    size: tuple[int, int], number: int
) -> None:
    height, width = size
    for generator in (None, seeded(0), seeded(1), seeded(2)):
        indices = grid_positions(height, width, number, generator=generator)
        rows, columns = rows_and_columns(indices, width)
        assert indices.tolist() == [row * width + column for row in rows for column in columns]
        assert rows[-1] < height
        for lines in (rows, columns):
            steps = {after - before for before, after in pairwise(lines)}
            assert not steps or max(steps) - min(steps) <= 1
        assert len(indices) <= number
        # A grid of squares fills the number but for the remainder of a row and of a column.
        assert len(indices) >= min(height * width, number) / 2


def test_a_grid_covers_the_map() -> None:
    rows, columns = rows_and_columns(grid_positions(60, 90, 150), 90)
    assert (len(rows), len(columns)) == (10, 15)
    assert rows == [row * 6 + 3 for row in range(10)]
    assert columns == [column * 6 + 3 for column in range(15)]


def test_a_remainder_goes_to_more_rows() -> None:
    # 54 rows and a column would be square; there is room for 60.
    rows, columns = rows_and_columns(grid_positions(100, 2, 60), 2)
    assert (len(rows), len(columns)) == (60, 1)


def test_grids_that_begin_at_random_visit_every_position() -> None:
    generator = seeded(0)
    visited = {int(i) for _ in range(400) for i in grid_positions(8, 12, 6, generator=generator)}
    assert visited == set(range(96))


def test_a_grid_is_determined_by_the_state_of_its_generator() -> None:
    first, second = (grid_positions(40, 40, 16, generator=seeded(seed)) for seed in (3, 4))
    assert torch.equal(first, grid_positions(40, 40, 16, generator=seeded(3)))
    assert not torch.equal(first, second)


@pytest.mark.parametrize(("height", "width", "number"), [(0, 3, 1), (3, 0, 1), (3, 3, 0), (3, 3, -1)])
def test_a_grid_needs_positive_numbers(height: int, width: int, number: int) -> None:
    with pytest.raises(ValueError, match=f"must be at least 1, got {min(height, width, number)}"):
        grid_positions(height, width, number)


def test_directions_have_the_length_one_and_no_preference() -> None:
    directions = random_directions(20_000, 3, generator=seeded(0))
    torch.testing.assert_close(directions.norm(dim=1), torch.ones(20_000))
    assert directions.mean(0).abs().max() < 0.02
    # On a sphere every coordinate is uniform in [-1, 1].
    for edge in (-0.5, 0.0, 0.5):
        shares = (directions < edge).float().mean(0)
        torch.testing.assert_close(shares, torch.full((3,), (edge + 1) / 2), atol=0.02, rtol=0)


def test_directions_are_determined_by_the_state_of_their_generator() -> None:
    first = random_directions(5, 4, generator=seeded(7))
    assert torch.equal(first, random_directions(5, 4, generator=seeded(7)))
    assert not torch.equal(first, random_directions(5, 4, generator=seeded(8)))


def test_a_generator_leaves_the_global_random_state_alone() -> None:
    before = torch.random.get_rng_state()
    random_directions(5, 4, generator=seeded(0))
    grid_positions(9, 9, 4, generator=seeded(0))
    assert torch.equal(torch.random.get_rng_state(), before)


@pytest.mark.parametrize(("count", "channels"), [(0, 3), (3, 0), (-1, 3)])
def test_directions_need_positive_numbers(count: int, channels: int) -> None:
    with pytest.raises(ValueError, match=f"must be at least 1, got {min(count, channels)}"):
        random_directions(count, channels)
