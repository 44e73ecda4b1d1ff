namespace OmniFusion.Training;

internal static class TrainingPlot
{
    internal static void Write(string logPath, string svgPath, string title)
    {
    }
}
