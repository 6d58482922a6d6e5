from pystyle._arguments import number


def art_fid(lpips: float, frechet: float) -> float:
    """ArtFID, one number for content and style: less is better, 1 is the least.

    The product of 1 + LPIPS to the contents and 1 + the Fréchet distance to the styles, both means over all
    pictures. A method can trade the one for the other: look at both.

    Args:
        lpips: The mean LPIPS of the pictures to their contents, by AlexNet.
        frechet: The Fréchet distance of the pictures to the paintings.

    Raises:
        ValueError: If one is negative.

    Example:
        >>> art_fid(0.5055, 18.131)         # as Chung et al., CVPR 2024, print it for their method
        28.8017...

    Note:
        Published figures are made with an Inception network that was trained on paintings, and not with that
        of the FID.

    References:
        Wright and Ommer, *ArtFID: Quantitative Evaluation of Neural Style Transfer*, GCPR 2022.
    """
    return (1 + number(lpips, "`lpips`", least=0)) * (1 + number(frechet, "`frechet`", least=0))
